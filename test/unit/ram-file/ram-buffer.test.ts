import { closeSync, fstatSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { WINDOW_SIZE } from '../../../src/ram-file/mapped-pages.ts';
import { RamBuffer } from '../../../src/ram-file/ram-buffer.ts';
import { Pair } from '../../random/pair.ts';
import { Player } from '../../random/player.ts';
import { type Step, stepOn, times } from '../../random/step.ts';
import { Tmpfs } from '../../support/tmpfs.ts';
import { bufferCalls } from './buffer-calls.ts';

const PAGE = 4096;
/** How much the file may hold. */
const PAGES = 8;
const LIMIT = PAGES * PAGE;

const LONG_AGO = { sec: times['long ago'], nsec: 0 };
const FUTURE = { sec: times.future, nsec: 0 };

/** Up to some pages, and as often as not at the start of one. */
function upTo(pages: number): fc.Arbitrary<number> {
  return fc
    .tuple(fc.nat(pages), fc.constantFrom(0, 0, 1, 100, PAGE - 1))
    .map(([page, within]) => page * PAGE + within);
}

/** A call within twice the limit, counted from `base` on. A read of nothing moves atime on tmpfs, and has a test of its own. */
function stepFrom(base: number): fc.Arbitrary<Step> {
  return stepOn({
    at: upTo(2 * PAGES).map((at) => base + at),
    length: upTo(PAGES + 2),
    weights: { pwrite: 4, pread: 2, ftruncate: 2, futimens: 1, fallocate: 4 },
  }).filter((step) => step.call !== 'pread' || step.length > 0);
}

/** Whether a call leaves the file no longer than its limit. */
function isShort(step: Step): boolean {
  if (step.call === 'pread' || !('at' in step)) return true;
  return Number(step.at) + ('length' in step ? step.length : 0) <= LIMIT;
}

/** From empty files on, in which nobody has read or written since long ago. */
const start: readonly Step[] = [
  { call: 'open', slot: 0, mode: 'O_RDWR' },
  { call: 'open', slot: 1, mode: 'O_RDWR' },
  { call: 'ftruncate', slot: 0, at: 0 },
  { call: 'futimens', slot: 0, atime: 'long ago', mtime: 'long ago' },
];

/** Gives all of a buffer's memory back. */
function freeAll(buffer: RamBuffer): void {
  Array.from(buffer.free());
}

const numRuns = Number(process.env.RUNS ?? 1500);
/** What is particular about a secret takes few calls to show. */
const few = numRuns / 5;

describe.each([
  ['memfd', {}, stepFrom(0), numRuns],
  ['memfd, where its mapping ends', {}, stepFrom(WINDOW_SIZE - 3 * PAGE), numRuns],
  ['memfd, with a secret in it', { secret: { threads: 1 } }, stepFrom(0).filter(isShort), few],
  ['file lent to the kernel', { place: 'lent' as const }, stepFrom(0), numRuns],
  [
    'file lent to the kernel, with a secret in it',
    { place: 'lent' as const, secret: { threads: 1 } },
    stepFrom(0),
    few,
  ],
])('a RamBuffer on a %s is a file of a tmpfs with the same size=', (_, options, step, numRuns) => {
  test('whatever sequence of calls it gets', { timeout: 120_000 }, () => {
    using tmpfs = new Tmpfs(LIMIT);
    const buffer = RamBuffer.create({ name: 'test', maxSize: LIMIT, ...options });
    const other = new RamBuffer(buffer.state);
    const files = { ours: `/proc/self/fd/${buffer.state.noatime}`, mirror: join(tmpfs.dir, 'file') };
    writeFileSync(files.mirror, '');

    /** Compares every answer, and after each `look`th step all that can be seen. */
    const play = (steps: readonly Step[], look: number) => {
      const calls = bufferCalls([buffer, other]);
      using pair = new Pair(files, new Player(files.ours, { calls, release: () => {} }));
      for (const step of start) pair.play(step);
      for (const [i, step] of steps.entries()) {
        pair.play(step);
        if ((i + 1) % look !== 0 && i < steps.length - 1) continue;
        pair.play({ call: 'fstat', slot: 0 });
        pair.compare(true);
        const { size, blocks } = buffer.stat();
        expect(blocks * 512).toBeLessThanOrEqual(LIMIT);
        expect(buffer.size).toBe(size);
        expect(buffer.pages).toEqual({ used: (blocks * 512) / PAGE, max: PAGES, size: PAGE });
      }
    };

    try {
      const sequence = fc.array(step, { minLength: 1, maxLength: 12 });
      fc.assert(fc.property(sequence, fc.constantFrom(1, 2, 20), play), { numRuns });
    } finally {
      freeAll(buffer);
    }
  });
});

describe('a RamBuffer', () => {
  /** Disposes the buffer with the test. */
  function create(maxSize: number, atime?: boolean): { buffer: RamBuffer } & Disposable {
    const buffer = RamBuffer.create({ name: 'test', maxSize, atime });
    return { buffer, [Symbol.dispose]: () => freeAll(buffer) };
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
      freeAll(buffer);
    }
  });

  test('gives its memory and its descriptors back', () => {
    const { buffer } = create(LIMIT);
    buffer.write(Buffer.alloc(PAGE), 0, PAGE, 0);
    const held = openSync(`/proc/self/fd/${buffer.state.fd}`, 'r');
    expect(fstatSync(held).blocks).toBe(8);
    freeAll(buffer);
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
