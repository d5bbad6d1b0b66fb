import { constants } from 'node:fs';
import { constants as system } from 'node:os';
import { Errno, type ProcHandler } from 'ramproc';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { must } from '../../support/answer.ts';
import { pattern } from '../../support/bytes.ts';
import { Client } from '../../support/client.ts';
import { attrOf, readOf, Tree } from './tree.ts';

const { O_RDONLY, O_WRONLY, O_RDWR, O_APPEND } = constants;

let client: Client;
beforeAll(async () => {
  client = await Client.start();
});
afterAll(() => client[Symbol.asyncDispose]());

const seekable: ProcHandler = { lseek: (_file, offset) => offset };

describe('read', () => {
  test('hands the handler a window of just the length and offset that were asked for', async () => {
    const windows: unknown[] = [];
    await using tree = await Tree.mount({
      file: {
        ...seekable,
        read(_file, to, offset) {
          windows.push([offset, to.length]);
          to.write(pattern(offset, to.length));
          return to.transferred;
        },
      },
    });
    const fd = must(await client.sys.open(tree.path('file'), O_RDONLY));
    const asked = [
      [0, 1],
      [7, 4095],
      [4095, 4097],
      [2 ** 40 + 1, 100_000],
      [2 ** 53 - 1 - 5, 5],
    ] as const;
    for (const [offset, length] of asked) {
      const bytes = must(await client.sys.pread(fd, length, offset));
      expect(Buffer.from(bytes).equals(pattern(offset, length))).toBe(true);
    }
    expect(windows).toEqual(asked);
  });

  test('moves the position by what came, and 0 is the end', async () => {
    const text = Buffer.from('hello\nworld\n');
    await using tree = await Tree.mount({ file: { ...seekable, read: readOf(() => text) } });
    const fd = must(await client.sys.open(tree.path('file'), O_RDONLY));
    const parts = [];
    for (let i = 0; i < 4; i++) parts.push(Buffer.from(must(await client.sys.read(fd, 5))).toString());
    expect(parts).toEqual(['hello', '\nworl', 'd\n', '']);
  });

  test('that ends in EFAULT within the handler, as one that fills too much, is EFAULT to the client', async () => {
    await using tree = await Tree.mount({
      file: {
        read(_file, to) {
          to.write(Buffer.alloc(to.length + 1));
          return 0;
        },
      },
    });
    const fd = must(await client.sys.open(tree.path('file'), O_RDONLY));
    expect(await client.sys.read(fd, 10)).toBe('EFAULT');
  });

  test('through the page cache comes once, in whole pages, and then no more', async () => {
    const offsets: number[] = [];
    const text = pattern(0, 10_000);
    const read = readOf(() => text);
    await using tree = await Tree.mount(
      {
        file: {
          ...seekable,
          getattr: () => attrOf(text.length),
          read(file, to, offset, caller) {
            offsets.push(offset);
            return read(file, to, offset, caller);
          },
        },
      },
      { placement: { cached: true } },
    );
    const fd = must(await client.sys.open(tree.path('file'), O_RDONLY));
    for (let i = 0; i < 3; i++) {
      expect(Buffer.from(must(await client.sys.pread(fd, 20_000, 5)))).toEqual(Buffer.from(text.subarray(5)));
    }
    expect(offsets).toEqual([0]);
  });
});

describe('write', () => {
  test('hands the handler the bytes and their offset, as one request of up to 1 MiB', async () => {
    const writes: unknown[] = [];
    await using tree = await Tree.mount({
      file: {
        ...seekable,
        write(_file, from, offset) {
          const { length } = from;
          const bytes = Buffer.from(from.readAll());
          writes.push([offset, length, bytes.equals(pattern(offset, length))]);
          return length;
        },
      },
    });
    const fd = must(await client.sys.open(tree.path('file'), O_WRONLY));
    for (const [offset, length] of [
      [0, 1],
      [4095, 2],
      [2 ** 41, 300_000],
    ] as const) {
      expect(await client.sys.pwrite(fd, pattern(offset, length), offset)).toBe(length);
    }
    expect(writes).toEqual([
      [0, 1, true],
      [4095, 2, true],
      [2 ** 41, 300_000, true],
    ]);
  });

  test('that the handler takes in part is short, and the position moves by that part', async () => {
    const taken: string[] = [];
    await using tree = await Tree.mount({
      file: {
        ...seekable,
        write(_file, from, offset) {
          const part = Buffer.alloc(Math.min(3, from.length));
          from.read(part);
          taken.push(`${part}@${offset}`);
          return part.length;
        },
      },
    });
    const fd = must(await client.sys.open(tree.path('file'), O_WRONLY));
    expect(await client.sys.write(fd, 'abcdef')).toBe(3);
    expect(await client.sys.write(fd, 'de')).toBe(2);
    expect(taken).toEqual(['abc@0', 'de@3']);
  });

  test('to a descriptor that appends says so, and starts at the size that the kernel knows', async () => {
    const writes: unknown[] = [];
    await using tree = await Tree.mount({
      file: {
        ...seekable,
        getattr: () => attrOf(1000),
        write(file, from, offset) {
          writes.push([(file.flags & O_APPEND) !== 0, offset]);
          return from.length;
        },
      },
    });
    const fd = must(await client.sys.open(tree.path('file'), O_WRONLY | O_APPEND));
    expect(await client.sys.write(fd, 'abc')).toBe(3);
    expect(writes).toEqual([[true, 1000]]);
  });
});

describe('a handler that throws', () => {
  test('an Errno answers with it, sync or async', async () => {
    await using tree = await Tree.mount({
      now: {
        read() {
          throw new Errno(system.errno.ENODATA);
        },
        write() {
          throw new Errno(system.errno.ENOSPC);
        },
      },
      later: {
        read: () => Promise.reject(new Errno(system.errno.ENODATA)),
        write: () => Promise.reject(new Errno(system.errno.ENOSPC)),
      },
    });
    for (const name of ['now', 'later']) {
      const fd = must(await client.sys.open(tree.path(name), O_RDWR));
      expect([await client.sys.read(fd, 10), await client.sys.write(fd, 'x')]).toEqual(['ENODATA', 'ENOSPC']);
    }
  });

  test('anything else is EIO, a stack trace in the log, and the session goes on', async () => {
    const log = vi.spyOn(console, 'error').mockImplementation(() => {});
    try {
      await using tree = await Tree.mount({
        now: {
          read() {
            throw new TypeError('a mistake');
          },
        },
        later: { read: () => Promise.reject(new TypeError('a mistake')) },
        odd: {
          read() {
            throw 'no error at all';
          },
        },
        liar: { read: (_file, to) => to.length + 1 },
        fine: { read: () => 0 },
      });
      for (const name of ['now', 'later', 'odd', 'liar']) {
        const fd = must(await client.sys.open(tree.path(name), O_RDONLY));
        expect(await client.sys.read(fd, 10)).toBe('EIO');
      }
      const logged = log.mock.calls.map(([error]) => error);
      expect(logged).toEqual([
        expect.any(TypeError),
        expect.any(TypeError),
        'no error at all',
        expect.any(RangeError),
      ]);
      expect(logged[0].stack).toContain('read-write.test.ts');
      const fd = must(await client.sys.open(tree.path('fine'), O_RDONLY));
      expect(await client.sys.read(fd, 10)).toHaveLength(0);
    } finally {
      log.mockRestore();
    }
  });

  test('nothing, because it is missing, is EIO for read and write', async () => {
    await using tree = await Tree.mount({ file: {} });
    const fd = must(await client.sys.open(tree.path('file'), O_RDWR));
    expect([await client.sys.read(fd, 10), await client.sys.write(fd, 'x')]).toEqual(['EIO', 'EIO']);
  });
});
