import { constants } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { ProcOps, procCreate, procMkdir } from 'ramproc';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { must } from '../../support/answer.ts';
import { Client } from '../../support/client.ts';
import { run } from '../../support/mount.ts';
import { attrOf, readOf, Tree } from './tree.ts';

const { O_RDONLY } = constants;

let client: Client;
beforeAll(async () => {
  client = await Client.start();
});
afterAll(() => client[Symbol.asyncDispose]());

const empty = new ProcOps({});

/** What find(1) prints, in order. */
async function find(dir: string, ...parameters: string[]): Promise<string[]> {
  const { status, stdout, stderr } = await run('find', dir, ...parameters);
  expect([status, stderr]).toEqual([0, '']);
  return stdout.split('\n').filter((line) => line !== '');
}

describe('a tree', () => {
  test('shows directories and files with their modes, links and inode numbers, however deep', async () => {
    await using tree = await Tree.mount({ top: {} });
    const below = procMkdir('below', 0o750, tree.root);
    const deeper = procMkdir('déjà vu', 0o555, below);
    procCreate('x'.repeat(255), 0o400, deeper, empty);
    const lines = await find(tree.dir, '-mindepth', '1', '-printf', '%P %y %m %n %i\\n');
    const entries = [
      ['below', 'd 750 3', below.ino],
      ['below/déjà vu', 'd 555 2', deeper.ino],
      [`below/déjà vu/${'x'.repeat(255)}`, 'f 400 1', deeper.child('x'.repeat(255))?.ino],
      ['top', 'f 666 1', tree.root.child('top')?.ino],
    ];
    expect(lines.sort()).toEqual(entries.map((entry) => entry.join(' ')));
    expect(await client.sys.stat(tree.dir)).toMatchObject({ ino: 1, nlink: 3 });
    expect(await client.sys.open(`${tree.path('below')}/none`, O_RDONLY)).toBe('ENOENT');
    expect(await client.sys.open(`${tree.path('top')}/none`, O_RDONLY)).toBe('ENOTDIR');
  });

  test('gets entries at once, also under a name that a client looked for in vain', async () => {
    await using tree = await Tree.mount({});
    const path = tree.path('late');
    expect(await client.sys.stat(path)).toBe('ENOENT');
    const entry = procCreate('late', 0o444, tree.root, empty);
    expect(await client.sys.stat(path)).toMatchObject({ ino: entry.ino });
    expect(await client.sys.readdir(tree.dir)).toEqual(['late']);
  });

  test('loses an entry, also for a client that has its name cached; who has it open keeps it', async () => {
    const text = Buffer.from('hello\n');
    await using tree = await Tree.mount({
      file: { read: readOf(() => text), lseek: (_file, offset) => offset },
    });
    const path = tree.path('file');
    const entry = tree.root.child('file');
    const fd = must(await client.sys.open(path, O_RDONLY));
    must(await client.sys.stat(path));
    entry?.[Symbol.dispose]();
    // The kernel is told by another thread, for it may have to wait for a client that waits for this one.
    await expect.poll(() => client.sys.stat(path), { interval: 1 }).toBe('ENOENT');
    expect(await client.sys.readdir(tree.dir)).toEqual([]);
    expect(await client.sys.pread(fd, 100, 0)).toEqual(text);
    const again = procCreate('file', 0o400, tree.root, empty);
    expect(await client.sys.stat(path)).toMatchObject({ ino: again.ino });
    expect(again.ino).not.toBe(entry?.ino);
    await client.sys.close(fd);
  });

  test('loses a directory with all that is below it', async () => {
    await using tree = await Tree.mount({});
    const below = procMkdir('below', 0o755, tree.root);
    procCreate('file', 0o444, below, empty);
    must(await client.sys.stat(`${tree.path('below')}/file`));
    below[Symbol.dispose]();
    await expect.poll(() => client.sys.stat(`${tree.path('below')}/file`), { interval: 1 }).toBe('ENOENT');
    expect(await client.sys.stat(tree.path('below'))).toBe('ENOENT');
    expect(() => procCreate('file', 0o444, below, empty)).toThrow('ENOENT');
  });
});

describe('readdir', () => {
  /** Enough that a listing takes several requests, of 4 KiB and more. */
  const COUNT = 3000;
  const name = (i: number) => `entry-${String(i).padStart(5, '0')}`;

  test('lists many entries, each once', async () => {
    await using tree = await Tree.mount({});
    for (let i = 0; i < COUNT; i++) procCreate(name(i), 0o444, tree.root, empty);
    const names = must(await client.sys.readdir(tree.dir));
    expect([...names].sort()).toEqual(Array.from({ length: COUNT }, (_, i) => name(i)));
  });

  test('shows what stays once, while entries come and go between its requests', async () => {
    await using tree = await Tree.mount({});
    for (let i = 0; i < COUNT; i++) procCreate(name(i), 0o444, tree.root, empty);
    const stays = Array.from({ length: COUNT / 2 }, (_, i) => name(2 * i));
    let steps = 0;
    const change = setInterval(() => {
      for (let i = 0; i < 20; i++, steps++) {
        procCreate(`new-${steps}`, 0o444, tree.root, empty);
        tree.root.child(name(2 * steps + 1))?.[Symbol.dispose]();
      }
    }, 1);
    try {
      for (let i = 0; i < 5; i++) {
        const names = must(await client.sys.readdir(tree.dir));
        const set = new Set(names);
        expect(set.size).toBe(names.length);
        expect(stays.filter((stay) => !set.has(stay))).toEqual([]);
      }
    } finally {
      clearInterval(change);
    }
    expect(steps).toBeGreaterThan(0);
  });
});

describe('what the kernel caches', () => {
  test('of a file with CACHED is dropped when the program says that it changed', async () => {
    let text = Buffer.from('before');
    const handler = { lseek: () => 0, read: readOf(() => text), getattr: () => attrOf(text.length) };
    await using tree = await Tree.mount({ file: handler }, { placement: { cached: true } });
    const fd = must(await client.sys.open(tree.path('file'), O_RDONLY));
    expect(await client.sys.pread(fd, 100, 0)).toEqual(Buffer.from('before'));
    text = Buffer.from('after!');
    expect(await client.sys.pread(fd, 100, 0)).toEqual(Buffer.from('before'));
    tree.root.child('file')?.changed();
    await expect.poll(() => client.sys.pread(fd, 100, 0), { interval: 1 }).toEqual(Buffer.from('after!'));
  });

  test('of entries keeps them here too, removed ones as well, and not longer', async () => {
    await using tree = await Tree.mount({});
    const entries = Array.from({ length: 500 }, (_, i) =>
      procCreate(`entry-${i}`, 0o444, tree.root, new ProcOps({})),
    );
    const alive = countAlive(entries);
    await find(tree.dir, '-size', '+0');
    expect(alive()).toBe(500);
    const fd = must(await client.sys.open(tree.path('entry-7'), O_RDONLY));
    const { ino } = entries[7] ?? {};
    for (const entry of entries.splice(0)) entry[Symbol.dispose]();
    // A variable that nobody needs any more may still refer to one or two.
    await expect.poll(alive).toBeLessThan(10);
    expect(await client.sys.fstat(fd)).toMatchObject({ ino });
    await client.sys.close(fd);
  });
});

/** How many objects somebody still refers to, once the garbage was collected. */
function countAlive(objects: readonly object[]): () => number {
  const weak = objects.map((object) => new WeakRef(object));
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  return () => {
    collect();
    return weak.filter((one) => one.deref() !== undefined).length;
  };
}
