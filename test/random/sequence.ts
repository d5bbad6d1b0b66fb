import fc from 'fast-check';
import { MiB } from '../../scripts/bench/sizes.ts';
import { WINDOW_SIZE } from '../../src/ram-file/sizes.ts';
import { Difference } from './content.ts';
import { kindOf } from './kinds.ts';
import { Place } from './place.ts';
import { type At, around, few, openMode, type Step, stepOn } from './step.ts';

const PAGE = 4096;

const at: fc.Arbitrary<At> = fc.oneof(
  { weight: 4, arbitrary: fc.nat(40) },
  { weight: 7, arbitrary: around(PAGE, 12) },
  { weight: 3, arbitrary: fc.nat(60_000) },
  { weight: 5, arbitrary: fc.oneof(few, fc.integer({ min: -9000, max: 9000 })).map((end) => ({ end })) },
  { weight: 2, arbitrary: around(MiB, 6) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom(WINDOW_SIZE, 2 ** 32, 2 ** 33), fc.integer({ min: -5000, max: 2 }))
      .map(([edge, more]) => edge + more),
  },
);

const length = fc.oneof(
  { weight: 6, arbitrary: fc.nat(20) },
  { weight: 6, arbitrary: around(PAGE, 3) },
  { weight: 4, arbitrary: fc.nat(20_000) },
  { weight: 1, arbitrary: around(MiB, 2) },
);

/** No futimens: which calls move a time is not all the same over FUSE; why is in differences.ts. */
const step = stepOn({
  at,
  length,
  weights: {
    open: 2,
    close: 1,
    fsync: 1,
    fstat: 1,
    read: 2,
    pread: 2,
    readv: 1,
    write: 3,
    pwrite: 6,
    writev: 1,
    ftruncate: 2,
    truncate: 1,
    lseek: 4,
    fallocate: 3,
    copyFileRange: 1,
    mmap: 2,
    load: 3,
    store: 3,
    mmapWrite: 2,
  },
});

/** What clients do with a file. A sequence starts with both descriptors open, so that its first calls already do something. */
export const sequence: fc.Arbitrary<Step[]> = fc
  .tuple(openMode, openMode, fc.array(step, { minLength: 1, maxLength: 40, size: 'max' }))
  .map(([one, other, steps]) => [
    { call: 'open', slot: 0, mode: one },
    { call: 'open', slot: 1, mode: other },
    ...steps,
  ]);

/** The most memory that the files may take, in bytes: little enough for a sequence to run into it. */
const MAX_SIZE = MiB;

/** More than a sequence can fill. In cached mode a refused write may undo what a mapping stored: see differences.ts. */
const ROOMY = 128 * MiB;

/** A place to play sequences at. */
export function placeFor(io: string): Promise<Place> {
  return Place.make(kindOf(io), io === 'cached' ? ROOMY : MAX_SIZE);
}

/**
 * Plays a sequence, for a property of fast-check. What goes wrong says how it is played again. After one that ended the
 * daemon there are no more: all of them would fail, and what it is to be shrunk to would say nothing.
 */
export function play(place: Place, steps: readonly Step[]): void {
  fc.pre(place.answers);
  try {
    place.play(steps);
  } catch (error) {
    const known = error instanceof Difference;
    const again = `npm run fuzz -- --io ${place.kind.name} --replay '${JSON.stringify(known ? error.steps : steps)}'`;
    const message = `${(error as Error).message}\nOnly these calls again: ${again}`;
    throw new Error(message, known ? {} : { cause: error });
  }
}
