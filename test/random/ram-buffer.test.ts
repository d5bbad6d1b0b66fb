import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RamBuffer, type RamBufferOptions } from '../../src/ram-file/ram-buffer.ts';
import { WINDOW_SIZE } from '../../src/ram-file/sizes.ts';
import { Tmpfs } from '../support/tmpfs.ts';
import { bufferCalls } from './buffer-calls.ts';
import { Pair } from './pair.ts';
import { Player } from './player.ts';
import { type Step, stepOn } from './step.ts';

const PAGE = 4096;
/** How much the file may hold. */
const PAGES = 8;
const LIMIT = PAGES * PAGE;
/** A limit that none of the calls comes near, in bytes: more than one ArrayBuffer can map. */
const LARGE = 2 ** 34;

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

const numRuns = Number(process.env.RUNS ?? 1500);
/** What is particular about a secret takes few calls to show. */
const few = numRuns / 5;

describe.each<[string, Partial<RamBufferOptions>, fc.Arbitrary<Step>, number]>([
  ['memfd', {}, stepFrom(0), numRuns],
  ['memfd, where its mapping ends', {}, stepFrom(WINDOW_SIZE - 3 * PAGE), numRuns],
  ['memfd, where its first mapping ends', { maxSize: LARGE }, stepFrom(WINDOW_SIZE - 3 * PAGE), few],
  ['memfd, far behind that', { maxSize: LARGE }, stepFrom(2 * WINDOW_SIZE), few],
  ['memfd, where its second mapping ends', { maxSize: LARGE }, stepFrom(LARGE - 3 * PAGE), few],
  ['memfd, with a secret in it', { secret: { threads: 1 } }, stepFrom(0).filter(isShort), few],
  ['file lent to the kernel', { place: 'lent' }, stepFrom(0), numRuns],
  [
    'file lent to the kernel, with a secret in it',
    { place: 'lent', secret: { threads: 1 } },
    stepFrom(0),
    few,
  ],
])('a RamBuffer on a %s is a file of a tmpfs with the same size=', (_, options, step, numRuns) => {
  test('whatever sequence of calls it gets', () => {
    const { maxSize = LIMIT } = options;
    using tmpfs = new Tmpfs(maxSize);
    const buffer = RamBuffer.create({ name: 'test', ...options, maxSize });
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
        expect(blocks * 512).toBeLessThanOrEqual(maxSize);
        expect(buffer.size).toBe(size);
        expect(buffer.pages).toEqual({ used: (blocks * 512) / PAGE, max: maxSize / PAGE, size: PAGE });
      }
    };

    try {
      const sequence = fc.array(step, { minLength: 1, maxLength: 12 });
      fc.assert(fc.property(sequence, fc.constantFrom(1, 2, 20), play), { numRuns });
    } finally {
      buffer.free();
    }
  });
});
