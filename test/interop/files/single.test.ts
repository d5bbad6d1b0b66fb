import { constants, readFileSync } from 'node:fs';
import { Errno, procCreateSingle } from 'ramproc';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EINVAL } from '../../../src/sys/errno.ts';
import { must } from '../../support/answer.ts';
import { Client } from '../../support/client.ts';
import { run } from '../../support/mount.ts';
import { Tree } from '../kernel/tree.ts';

const { O_RDONLY, O_RDWR, O_WRONLY } = constants;

let client: Client;
beforeAll(async () => {
  client = await Client.start();
});
afterAll(() => client[Symbol.asyncDispose]());

/** The same calls on a file; what each answers. */
async function calls(path: string): Promise<unknown[]> {
  const fd = must(await client.sys.open(path, O_RDONLY));
  const { sys } = client;
  const answers = [
    await sys.read(fd, 10),
    await sys.read(fd, 5),
    await sys.pread(fd, 7, 3),
    await sys.pread(fd, 7, 1_000_000),
    await sys.lseek(fd, 2, 0),
    await sys.read(fd, 4),
    await sys.lseek(fd, -1, 1),
    await sys.read(fd, 4096),
    await sys.read(fd, 4096),
    await sys.lseek(fd, 0, 0),
    await sys.readv(fd, [1, 2, 3, 4096]),
    await sys.lseek(fd, 0, 3),
    await sys.lseek(fd, 0, 4),
    await sys.write(fd, 'x'),
    await sys.ftruncate(fd, 0),
  ];
  await sys.close(fd);
  return answers;
}

describe('a single file', () => {
  test('answers as /proc/version does', async () => {
    const version = readFileSync('/proc/version');
    await using tree = await Tree.mount({});
    procCreateSingle('version', 0o444, tree.root, () => version);
    expect(await calls(tree.path('version'))).toEqual(await calls('/proc/version'));
  });

  test.each([
    ['cat'],
    ['head', '-n', '1'],
    ['head', '-c', '9'],
    ['tail', '-n', '1'],
    ['grep', '-c', 'Linux'],
    ['dd', 'bs=3', 'status=none', 'if=/dev/stdin'],
    ['wc', '-c'],
  ])('is to %s what /proc/version is', async (program, ...parameters) => {
    const version = readFileSync('/proc/version');
    await using tree = await Tree.mount({});
    procCreateSingle('version', 0o444, tree.root, async () => version);
    const through = (path: string) => run('sh', '-c', '"$@" <"$0"', path, program, ...parameters);
    expect(await through(tree.path('version'))).toEqual(await through('/proc/version'));
  });

  test('is made anew for each who opens it, and for who goes back to its start', async () => {
    let made = 0;
    await using tree = await Tree.mount({});
    procCreateSingle('count', 0o444, tree.root, () => `${++made}\n`);
    const fd = must(await client.sys.open(tree.path('count'), O_RDONLY));
    const text = async (offset: number) =>
      Buffer.from(must(await client.sys.pread(fd, 10, offset))).toString();
    expect([await text(0), await text(1), await text(0)]).toEqual(['1\n', '\n', '2\n']);
    const other = must(await client.sys.open(tree.path('count'), O_RDONLY));
    expect(Buffer.from(must(await client.sys.read(other, 10))).toString()).toBe('3\n');
    expect(await text(1)).toBe('\n');
    await client.sys.close(other);
    await client.sys.close(fd);
  });

  test("takes one whole write from the start, and the errors of its store are the writer's", async () => {
    const stored: string[] = [];
    await using tree = await Tree.mount({});
    procCreateSingle(
      'setting',
      0o666,
      tree.root,
      () => stored.at(-1) ?? '',
      (text) => {
        if (text.startsWith('bad')) throw new Errno(EINVAL);
        stored.push(text);
      },
    );
    const fd = must(await client.sys.open(tree.path('setting'), O_RDWR));
    expect(await client.sys.pwrite(fd, 'good\n', 0)).toBe(5);
    expect(await client.sys.pwrite(fd, 'bad\n', 0)).toBe('EINVAL');
    expect(await client.sys.pwrite(fd, 'late', 5)).toBe('EINVAL');
    expect(Buffer.from(must(await client.sys.pread(fd, 100, 0))).toString()).toBe('good\n');
    await client.sys.close(fd);
    expect(stored).toEqual(['good\n']);
    expect(await run('sh', '-c', 'echo from a shell >"$0"', tree.path('setting'))).toMatchObject({
      status: 0,
    });
    expect(stored.at(-1)).toBe('from a shell\n');
  });

  test('without a store can not be written', async () => {
    await using tree = await Tree.mount({});
    procCreateSingle('fixed', 0o666, tree.root, () => 'fixed\n');
    const fd = must(await client.sys.open(tree.path('fixed'), O_WRONLY));
    expect(await client.sys.write(fd, 'x')).toBe('EIO');
    await client.sys.close(fd);
  });
});
