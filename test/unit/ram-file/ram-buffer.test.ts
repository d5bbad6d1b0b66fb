import { closeSync, fstatSync, openSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RamBuffer, type RamBufferOptions } from '../../../src/ram-file/ram-buffer.ts';
import { WINDOW_SIZE } from '../../../src/ram-file/sizes.ts';
import { O_NOATIME } from '../../../src/sys/memfd.ts';
import { Tmpfs } from '../../support/tmpfs.ts';
import {
  bufferState,
  FUTURE,
  isShort,
  LIMIT,
  LONG_AGO,
  ofBuffer,
  ofDescriptor,
  PAGE,
  PAGES,
  run,
  type Step,
  state,
  step,
} from './steps.ts';

/** A buffer and a file of a tmpfs with the same limit, which calls are made on in turns. */
class Pair implements Disposable {
  readonly #tmpfs = new Tmpfs(LIMIT);
  readonly buffer: RamBuffer;
  /** Descriptors of the tmpfs's only file: one for calls, and one to look at it without a trace. */
  readonly fd: number;
  readonly #noatime: number;
  readonly #other: RamBuffer;

  constructor(options: Partial<RamBufferOptions>) {
    this.buffer = RamBuffer.create({ name: 'test', maxSize: LIMIT, ...options });
    this.#other = new RamBuffer(this.buffer.state);
    const path = join(this.#tmpfs.dir, 'file');
    this.fd = openSync(path, 'wx+');
    this.#noatime = openSync(path, O_NOATIME);
    unlinkSync(path);
  }

  [Symbol.dispose](): void {
    this.buffer.free();
    closeSync(this.fd);
    closeSync(this.#noatime);
    this.#tmpfs[Symbol.dispose]();
  }

  /**
   * Runs the steps on both, from empty on, and compares every answer, and after each `look`th step all that can be
   * seen. Two threads take turns at the buffer, as far as it can tell.
   */
  compare(steps: readonly Step[], base: number, look: number): void {
    const { buffer, fd } = this;
    const [mine, theirs] = [ofBuffer(buffer), ofDescriptor(fd)];
    const turns = [mine, ofBuffer(this.#other)];
    for (const file of [mine, theirs]) {
      file.truncate(0);
      file.times(LONG_AGO, LONG_AGO);
    }
    for (const [i, step] of steps.entries()) {
      const fill = (i % 200) + 1;
      const expected = run(step, theirs, base, fill);
      expect({ step: i, answer: run(step, turns[i % 2] ?? mine, base, fill) }).toEqual({
        step: i,
        answer: expected,
      });
      if ((i + 1) % look !== 0 && i < steps.length - 1) continue;
      const seen = bufferState(buffer, base);
      expect({ step: i, ...seen }).toEqual({ step: i, ...state(this.#noatime, base) });
      expect(seen.blocks * 512).toBeLessThanOrEqual(LIMIT);
      expect(buffer.size).toBe(seen.size);
      expect(buffer.pages).toEqual({ used: (seen.blocks * 512) / PAGE, max: PAGES, size: PAGE });
    }
  }
}

const numRuns = Number(process.env.RUNS ?? 1500);
/** What is particular about a secret takes few calls to show. */
const few = numRuns / 5;

describe.each([
  ['memfd', {}, 0, step, numRuns],
  ['memfd, where its mapping ends', {}, WINDOW_SIZE - 3 * PAGE, step, numRuns],
  ['memfd, with a secret in it', { secret: { threads: 1 } }, 0, step.filter(isShort), few],
  ['file lent to the kernel', { lent: true }, 0, step, numRuns],
  ['file lent to the kernel, with a secret in it', { lent: true, secret: { threads: 1 } }, 0, step, few],
])('a RamBuffer on a %s is a file of a tmpfs with the same size=', (_, options, base, step, numRuns) => {
  test('whatever sequence of calls it gets', { timeout: 120_000 }, () => {
    using pair = new Pair(options);
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 12 }), fc.constantFrom(1, 2, 20), (steps, look) =>
        pair.compare(steps, base, look),
      ),
      { numRuns },
    );
  });
});

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

  test('rounds its limit down to whole pages', () => {
    using made = create(2 * PAGE - 1);
    expect(made.buffer.write(Buffer.alloc(3 * PAGE), 0, 3 * PAGE, 0)).toBe(PAGE);
    expect(made.buffer.pages).toEqual({ used: 1, max: 1, size: PAGE });
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
    const held = openSync(`/proc/self/fd/${buffer.state.memfd}`, 'r');
    expect(fstatSync(held).blocks).toBe(8);
    buffer.free();
    expect(fstatSync(held)).toMatchObject({ blocks: 0, size: 0 });
    closeSync(held);
    for (const fd of [buffer.state.memfd, buffer.state.noatime]) expect(() => fstatSync(fd)).toThrow('EBADF');
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
