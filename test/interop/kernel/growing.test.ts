import { closeSync, constants, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { threadId } from 'node:worker_threads';
import { type Placement, ProcOps, procCreate, procMkdir, RustProcRamFile } from 'ramproc';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MFD_CLOEXEC, memfdCreate } from '../../../src/sys/memfd.ts';
import { must } from '../../support/answer.ts';
import { MAP_SHARED, PROT_READ, PROT_WRITE } from '../../support/calls/index.ts';
import { Client } from '../../support/client.ts';
import { until } from '../../support/hanging.ts';
// biome-ignore lint/correctness/useImportExtensions: its types stand in a file of their own.
import { attach } from './told-in-a-worker.mjs';
import { attrOf, readOf, Tree } from './tree.ts';

const { O_RDONLY, O_RDWR } = constants;
const SIZE = 1 << 20;

let client: Client;
beforeAll(async () => {
  client = await Client.start();
});
afterAll(() => client[Symbol.asyncDispose]());

/** The thread that answers a read. */
async function threadOf(path: string): Promise<number> {
  const fd = must(await client.sys.open(path, O_RDONLY));
  const text = Buffer.from(must(await client.sys.pread(fd, 4096, 0))).toString();
  await client.sys.close(fd);
  return JSON.parse(text).threadId;
}

describe('a file that is added to a mounted tree', () => {
  test.each([1, 2, 3])('is served by its workers, %i of them, from its first call on', async (threads) => {
    await using tree = await Tree.mount({}, { threads });
    for (let i = 0; i < 20; i++) {
      procCreate(`file-${i}`, 0o666, tree.root, attach({}));
      expect(await threadOf(tree.path(`file-${i}`))).not.toBe(threadId);
    }
    expect(await threadOf(tree.path('file-0'))).not.toBe(threadId);
  });

  test('is seen in the links and times of its directory', async () => {
    await using tree = await Tree.mount({});
    const directory = procMkdir('directory', 0o755, tree.root);
    const before = must(await client.sys.stat(tree.path('directory')));
    // Times are whole milliseconds.
    await sleep(2);
    procMkdir('below', 0o755, directory);
    await until(async () => {
      const { nlink, mtime } = must(await client.sys.stat(tree.path('directory')));
      return nlink === before.nlink + 1 && mtime > before.mtime;
    }, 'The kernel believes what it was told before.');
  });

  test('is served all the same when no worker can import it', async () => {
    await using tree = await Tree.mount({});
    const elsewhere: Placement = { shared: { module: 'file:///nowhere.mjs', state: undefined } };
    const read = readOf(() => Buffer.from('here'));
    procCreate('file', 0o666, tree.root, new ProcOps({ lseek: () => 0, read }, elsewhere));
    const fd = must(await client.sys.open(tree.path('file'), O_RDONLY));
    expect(await client.sys.pread(fd, 100, 0)).toEqual(Buffer.from('here'));
    await client.sys.close(fd);
  });

  test('is cached if it says so', async () => {
    await using tree = await Tree.mount({});
    let reads = 0;
    const text = Buffer.from('cached');
    const read = readOf(() => {
      reads++;
      return text;
    });
    const handler = { lseek: () => 0, read, getattr: () => attrOf(text.length) };
    procCreate('file', 0o666, tree.root, new ProcOps(handler, { cached: true }));
    const fd = must(await client.sys.open(tree.path('file'), O_RDONLY));
    for (let i = 0; i < 3; i++) expect(await client.sys.pread(fd, 100, 0)).toEqual(text);
    expect(reads).toBe(1);
    await client.sys.close(fd);
  });

  test.each(['direct', 'cached', 'passthrough'] as const)(
    'is the RAM file with --io %s, mapped shared too, and a removed one makes room for another',
    async (io) => {
      await using tree = await Tree.mount({}, { wants: { mmap: true, passthrough: true } });
      for (const text of ['first', 'other']) {
        using module = RustProcRamFile.init(tree.root, { maxSize: SIZE, io });
        const path = tree.path(module.entry.name);
        const fd = must(await client.sys.open(path, O_RDWR));
        must(await client.sys.pwrite(fd, text, 0));
        const address = must(await client.sys.mmap(fd, 0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED));
        expect(Buffer.from(must(await client.sys.load(address, 5))).toString()).toBe(text);
        await client.sys.store(address, 'm');
        await client.sys.msync(address, 4096);
        await client.sys.munmap(address, 4096);
        expect(Buffer.from(must(await client.sys.pread(fd, 10, 0))).toString()).toBe(`m${text.slice(1)}`);
        await client.sys.close(fd);
      }
    },
  );

  test('that needs what was not agreed on with the kernel is refused with a sentence, and is not there', async () => {
    await using tree = await Tree.mount({});
    const mapped = () => RustProcRamFile.init(tree.root, { maxSize: SIZE });
    expect(mapped).toThrow(
      /^Cannot add "rust-proc-file" to the tree that is mounted on ".*": it needs "mmap", .* wants: \{ mmap: true \}\.$/,
    );
    const memfd = memfdCreate('lent', MFD_CLOEXEC);
    const lent = () => procCreate('lent', 0o666, tree.root, new ProcOps({}, { backing: memfd }));
    expect(lent).toThrow(/it needs "passthrough"/);
    closeSync(memfd);
    expect([...tree.root.children]).toEqual([]);
    expect(await client.sys.open(tree.path('rust-proc-file'), O_RDONLY)).toBe('ENOENT');
  });

  test('may come and go thousands of times, with nothing kept of it', async () => {
    await using tree = await Tree.mount({}, { wants: { mmap: true, passthrough: true } });
    const before = openSync('/dev/null', 'r');
    closeSync(before);
    for (let i = 0; i < 2000; i++) {
      using entry = procCreate('file', 0o666, tree.root, attach({}));
      if (i % 100 === 0) expect(await threadOf(tree.path(entry.name))).not.toBe(threadId);
    }
    const after = openSync('/dev/null', 'r');
    closeSync(after);
    expect(after).toBe(before);
  });
});
