import { constants } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { procSymlink } from 'ramproc';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { must } from '../../support/answer.ts';
import { Client } from '../../support/client.ts';
import { readOf, Tree } from './tree.ts';

let client: Client;
beforeAll(async () => {
  client = await Client.start();
});
afterAll(() => client[Symbol.asyncDispose]());

test('a symbolic link leads where it says, and is listed and told as one', async () => {
  await using tree = await Tree.mount({ file: { lseek: () => 0, read: readOf(() => Buffer.from('found')) } });
  procSymlink('link', tree.root, 'file');
  expect(await client.sys.readlink(tree.path('link'))).toBe('file');
  const fd = must(await client.sys.open(tree.path('link'), constants.O_RDONLY));
  expect(await client.sys.pread(fd, 10, 0)).toEqual(Buffer.from('found'));
  await client.sys.close(fd);
  expect((await lstat(tree.path('link'))).isSymbolicLink()).toBe(true);
  const [link] = (await readdir(tree.dir, { withFileTypes: true })).filter(({ name }) => name === 'link');
  expect(link?.isSymbolicLink()).toBe(true);
  expect(await client.sys.readlink(tree.path('file'))).toBe('EINVAL');
});

test('it may depend on who asks', async () => {
  await using tree = await Tree.mount({});
  procSymlink('self', tree.root, ({ pid }) => String(pid));
  expect(await client.sys.readlink(tree.path('self'))).toBe(String(client.pid));
  await using other = await Client.start();
  expect(await other.sys.readlink(tree.path('self'))).toBe(String(other.pid));
});
