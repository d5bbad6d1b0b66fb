import { closeSync, fstatSync, openSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { RamBuffer } from '../../../src/ram-file/ram-buffer.ts';

const PAGE = 4096;
const LIMIT = 8 * PAGE;

const LONG_AGO = { sec: 1000, nsec: 0 };
const FUTURE = { sec: 4_000_000_000, nsec: 0 };

describe('a RamBuffer', () => {
  /** Disposes the buffer with the test. */
  function create(maxSize: number, atime?: boolean): { buffer: RamBuffer } & Disposable {
    const buffer = RamBuffer.create({ name: 'test', maxSize, atime });
    return { buffer, [Symbol.dispose]: () => buffer.free() };
  }

  const text = (buffer: RamBuffer, offset: number, length: number) => {
    const bytes = Buffer.alloc(length);
    return bytes.toString('latin1', 0, buffer.read(bytes, 0, length, offset));
  };

  test('keeps apart what lies 4 GiB, 16 TiB or nearly 2^53 bytes apart, and pays for what is there', () => {
    using made = create(64 * PAGE);
    const { buffer } = made;
    const offsets = [0, 2 ** 32, 2 ** 44, Number.MAX_SAFE_INTEGER - 10];
    for (const [i, offset] of offsets.entries()) buffer.write(Buffer.from(`text ${i}`), 0, 6, offset);
    // Twice: the first read of a change moves atime by a system call, the second may come from the mapping.
    for (const _ of [1, 2]) {
      expect(offsets.map((offset) => text(buffer, offset, 6))).toEqual(offsets.map((_, i) => `text ${i}`));
    }
    expect(buffer.size).toBe(Number.MAX_SAFE_INTEGER - 4);
    expect(buffer.pages.used).toBe(4);
    expect([buffer.nextHole(0), buffer.nextData(PAGE)]).toEqual([PAGE, 2 ** 32]);
  });

  test.each([
    [1, 1],
    [PAGE, 1],
    [PAGE + 1, 2],
    [5000, 2],
  ])('rounds a limit of %i bytes up to %i whole pages', (maxSize, pages) => {
    using made = create(maxSize);
    expect(made.buffer.write(Buffer.alloc(3 * PAGE), 0, 3 * PAGE, 0)).toBe(pages * PAGE);
    expect(made.buffer.pages).toEqual({ used: pages, max: pages, size: PAGE });
  });

  test('copies between the middles of the arrays that it is given', () => {
    using made = create(LIMIT);
    const { buffer } = made;
    expect(buffer.write(Buffer.from('..text..'), 2, 4, 10)).toBe(4);
    const bytes = Buffer.from('--------');
    expect(buffer.read(bytes, 3, 4, 10)).toBe(4);
    expect(bytes.toString()).toBe('---text-');
  });

  test('makes a file no longer than its limit when it is a secret, holes included', () => {
    const buffer = RamBuffer.create({ name: 'test', maxSize: LIMIT, secret: { threads: 1 } });
    try {
      expect(buffer.write(Buffer.alloc(PAGE), 0, PAGE, LIMIT - 1)).toBe(1);
      expect(() => buffer.write(Buffer.alloc(1), 0, 1, LIMIT)).toThrow('EFBIG');
      expect(() => buffer.truncate(LIMIT + 1)).toThrow('EFBIG');
      expect(() => buffer.fallocate(0, LIMIT - PAGE, PAGE + 1)).toThrow('EFBIG');
      expect(buffer.size).toBe(LIMIT);
    } finally {
      buffer.free();
    }
  });

  test('gives its memory and its descriptors back', () => {
    const { buffer } = create(LIMIT);
    buffer.write(Buffer.alloc(PAGE), 0, PAGE, 0);
    const held = openSync(`/proc/self/fd/${buffer.state.fd}`, 'r');
    expect(fstatSync(held).blocks).toBe(8);
    buffer.free();
    expect(fstatSync(held)).toMatchObject({ blocks: 0, size: 0 });
    closeSync(held);
    for (const fd of [buffer.state.fd, buffer.state.noatime]) expect(() => fstatSync(fd)).toThrow('EBADF');
  });

  describe('moves atime', () => {
    const atime = (buffer: RamBuffer) => buffer.stat().atime.sec;

    test('at the first read after a change, as relatime does', () => {
      using made = create(LIMIT);
      const { buffer } = made;
      buffer.write(Buffer.from('text'), 0, 4, 0);
      buffer.setTimes(LONG_AGO, LONG_AGO);
      text(buffer, 0, 4);
      expect(atime(buffer)).toBeGreaterThan(LONG_AGO.sec);
    });

    test('never back', () => {
      using made = create(LIMIT);
      const { buffer } = made;
      buffer.write(Buffer.from('text'), 0, 4, 0);
      buffer.setTimes(FUTURE, undefined);
      text(buffer, 0, 4);
      expect(buffer.stat().atime).toEqual(FUTURE);
    });

    test('not for a reader that asks not to, nor when reading never moves it', () => {
      using one = create(LIMIT);
      using other = create(LIMIT, false);
      for (const { buffer } of [one, other]) {
        buffer.write(Buffer.from('text'), 0, 4, 0);
        buffer.setTimes(LONG_AGO, LONG_AGO);
        buffer.read(Buffer.alloc(4), 0, 4, 0, buffer === one.buffer);
        expect(atime(buffer)).toBe(LONG_AGO.sec);
      }
    });
  });

  test('a read of nothing moves no time: the kernel asks no FUSE daemon for it', () => {
    using made = create(LIMIT);
    const { buffer } = made;
    buffer.write(Buffer.from('text'), 0, 4, 0);
    buffer.setTimes(LONG_AGO, LONG_AGO);
    expect(buffer.read(Buffer.alloc(4), 0, 0, 0)).toBe(0);
    expect(buffer.stat()).toMatchObject({ atime: LONG_AGO, mtime: LONG_AGO });
  });

  test('a write moves mtime also when a later one was set', () => {
    using made = create(LIMIT);
    const { buffer } = made;
    const write = () => buffer.write(Buffer.from('text'), 0, 4, 0);
    write();
    // The second is the first that the kernel doesn't see.
    write();
    buffer.setTimes(undefined, FUTURE);
    write();
    expect(buffer.stat().mtime.sec).toBeLessThan(FUTURE.sec);
  });

  test('tells times as they were set, also before 1970 and to the nanosecond', () => {
    using made = create(LIMIT);
    const { buffer } = made;
    const times = [
      { sec: -1, nsec: 999_999_999 },
      { sec: 0, nsec: 1 },
    ] as const;
    buffer.setTimes(...times);
    const { atime, mtime, ctime } = buffer.stat();
    expect([atime, mtime]).toEqual(times);
    expect(ctime.sec).toBeGreaterThan(1_700_000_000);
    buffer.setTimes(undefined, { sec: 5, nsec: 0 });
    expect(buffer.stat()).toMatchObject({ atime: times[0], mtime: { sec: 5, nsec: 0 } });
  });
});
