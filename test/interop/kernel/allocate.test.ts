import { constants } from 'node:fs';
import { constants as system } from 'node:os';
import { Errno, type ProcHandler } from 'ramproc';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE } from '../../../src/sys/memfd.ts';
import { UTIME_OMIT } from '../../../src/sys/time.ts';
import { must } from '../../support/answer.ts';
import { Client } from '../../support/client.ts';
import { attrOf, readOf, Tree } from './tree.ts';

let client: Client;
beforeAll(async () => {
  client = await Client.start();
});
afterAll(() => client[Symbol.asyncDispose]());

async function mountOne(
  handler: ProcHandler,
): Promise<AsyncDisposable & { readonly fd: number; path: string }> {
  const tree = await Tree.mount({ file: { lseek: (_file, offset) => offset, ...handler } });
  const path = tree.path('file');
  const fd = must(await client.sys.open(path, constants.O_RDWR));
  return { fd, path, [Symbol.asyncDispose]: () => tree[Symbol.asyncDispose]() };
}

describe('fallocate', () => {
  test('hands over mode, offset and length, beyond 4 GiB too', async () => {
    const seen: unknown[] = [];
    await using file = await mountOne({
      fallocate: (_file, mode, offset, length) => void seen.push([mode, offset, length]),
    });
    expect(await client.sys.fallocate(file.fd, 0, 1, 2)).toBe(0);
    const punch = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
    expect(await client.sys.fallocate(file.fd, punch, 2 ** 40, 2 ** 33 + 1)).toBe(0);
    expect(seen).toEqual([
      [0, 1, 2],
      [punch, 2 ** 40, 2 ** 33 + 1],
    ]);
  });

  test('is EOPNOTSUPP without it, and the next time as well', async () => {
    await using file = await mountOne({});
    expect(await client.sys.fallocate(file.fd, 0, 0, 1)).toBe('EOPNOTSUPP');
    expect(await client.sys.fallocate(file.fd, 0, 0, 1)).toBe('EOPNOTSUPP');
  });
});

describe('copy_file_range', () => {
  const text = Buffer.from('0123456789'.repeat(1000));

  test('within a file is one call of the handler, which may copy less', async () => {
    const seen: unknown[] = [];
    await using file = await mountOne({
      getattr: () => attrOf(text.length),
      async copyFileRange(from, to, length) {
        seen.push([from, to, length]);
        return Math.min(length, 100);
      },
    });
    expect(await client.sys.copyFileRange(file.fd, 10, file.fd, 5000, 50)).toBe(50);
    expect(await client.sys.copyFileRange(file.fd, 0, file.fd, 5000, 4000)).toBe(100);
    expect(seen).toEqual([
      [10, 5000, 50],
      [0, 5000, 4000],
    ]);
  });

  test('without it is made of reads and writes', async () => {
    const writes: unknown[] = [];
    await using file = await mountOne({
      getattr: () => attrOf(text.length),
      read: readOf(() => text),
      write(_file, from, offset) {
        writes.push([offset, Buffer.from(from.readAll()).toString()]);
        return from.transferred;
      },
    });
    expect(await client.sys.copyFileRange(file.fd, 1, file.fd, 5000, 5)).toBe(5);
    expect(writes).toEqual([[5000, '12345']]);
  });

  test('between two files is made of reads and writes', async () => {
    const writes: unknown[] = [];
    await using tree = await Tree.mount({
      from: {
        getattr: () => attrOf(text.length),
        lseek: (_file, offset) => offset,
        read: readOf(() => text),
        copyFileRange: () => Promise.reject(new Error('this is for copies within a file')),
      },
      to: {
        lseek: (_file, offset) => offset,
        write(_file, from, offset) {
          writes.push([offset, Buffer.from(from.readAll()).toString()]);
          return from.transferred;
        },
      },
    });
    const from = must(await client.sys.open(tree.path('from'), constants.O_RDONLY));
    const to = must(await client.sys.open(tree.path('to'), constants.O_WRONLY));
    expect(await client.sys.copyFileRange(from, 1, to, 7, 3)).toBe(3);
    expect(writes).toEqual([[7, '123']]);
  });
});

describe('fsync', () => {
  test('tells fdatasync from fsync, and hands on the error', async () => {
    const seen: boolean[] = [];
    await using file = await mountOne({
      fsync(_file, dataOnly) {
        seen.push(dataOnly);
        if (seen.length > 2) throw new Errno(system.errno.ENOSPC);
      },
    });
    expect(await client.sys.fsync(file.fd)).toBe(0);
    expect(await client.sys.fdatasync(file.fd)).toBe(0);
    expect(await client.sys.fsync(file.fd)).toBe('ENOSPC');
    expect(seen).toEqual([false, true, false]);
  });

  test('is EINVAL without it, as in /proc', async () => {
    await using file = await mountOne({});
    expect(await client.sys.fsync(file.fd)).toBe('EINVAL');
  });
});

describe('truncate and the attributes', () => {
  test('hand the handler what changes, and nothing else', async () => {
    const seen: unknown[] = [];
    await using file = await mountOne({
      truncate: (size) => void seen.push(size),
      getattr: () => attrOf(0),
      setattr: (change) => void seen.push(change),
    });
    expect(await client.sys.ftruncate(file.fd, 2 ** 40)).toBe(0);
    expect(await client.sys.chmod(file.path, 0o640)).toBe(0);
    expect(await client.sys.chown(file.path, 5, 2 ** 32 - 1)).toBe(0);
    const [atime, mtime] = [
      { sec: -5, nsec: 123_456_789 },
      { sec: 2 ** 33, nsec: 1 },
    ];
    expect(await client.sys.utimensat(file.path, atime, { sec: 0, nsec: UTIME_OMIT })).toBe(0);
    expect(await client.sys.utimensat(file.path, { sec: 0, nsec: UTIME_OMIT }, mtime)).toBe(0);
    expect(seen).toEqual([2 ** 40, { mode: 0o640 }, { uid: 5 }, { atime }, { mtime }]);
  });

  test('without a getattr are kept with the entry, and truncate changes nothing, as in /proc', async () => {
    await using file = await mountOne({});
    expect(await client.sys.truncate(file.path, 100)).toBe(0);
    expect(await client.sys.chmod(file.path, 0o600)).toBe(0);
    const stat = must(await client.sys.stat(file.path));
    expect({ ...stat, mode: stat.mode & 0o7777 }).toMatchObject({
      size: 0,
      blocks: 0,
      mode: 0o600,
      nlink: 1,
    });
  });
});
