import fc from 'fast-check';
import { KiB, MiB } from '../../scripts/bench/sizes.ts';
import { type At, type Call, type Step, stepOn } from '../random/step.ts';
import { SEEK_END } from '../support/calls/index.ts';

/** A part of the file that one client has for itself, in bytes. */
export interface Region {
  readonly start: number;
  readonly length: number;
  /** Whether the file ends in it: its client may cut the file there, and make it longer. */
  readonly last: boolean;
}

const STRIDE = 8 * MiB;

/**
 * What lies between regions. A page fault reads ahead by up to 128 KiB, into the page cache; where another client's
 * direct write is under way there, the kernel may keep the page as it was before (fuse_direct_io drops pages ahead of
 * the write only). That is a client mapping what another one writes directly, and not what is compared here.
 */
const GAP = MiB / 4;

/** The regions of so many clients, the last one at the file's end. */
export function regionsOf(clients: number): Region[] {
  return Array.from({ length: clients }, (_, i) => ({
    start: i * STRIDE,
    length: STRIDE - GAP,
    last: i === clients - 1,
  }));
}

/** The whole file, for a client that is alone with it. */
export function wholeOf(clients: number): Region {
  return { start: 0, length: clients * STRIDE, last: true };
}

/** How a client opens the file before anything else. Slot 1 is for appending, and slot 0 for all other calls. */
export const opened: readonly Step[] = [
  { call: 'open', slot: 0, mode: 'O_RDWR' },
  { call: 'open', slot: 1, mode: 'O_RDWR|O_APPEND' },
];

const PAGE = 4 * KiB;

/** Around here ends the part of a file that a daemon maps; what lies behind is read and written by calls. */
const FAR = 2 ** 32;

const length = fc.oneof(
  { weight: 4, arbitrary: fc.nat(40) },
  { weight: 4, arbitrary: fc.nat(8).map((pages) => pages * PAGE) },
  { weight: 4, arbitrary: fc.nat(20_000) },
  { weight: 3, arbitrary: fc.nat(128 * KiB) },
  { weight: 1, arbitrary: fc.nat(2 * MiB) },
);

const anywhere = { open: 1, fsync: 1, pread: 8, pwrite: 8, fallocate: 6, copyFileRange: 2, mmapWrite: 2 };
const atTheEnd = { ...anywhere, ftruncate: 4, write: 3, lseek: 2 };

/** A call that stays in a region, none of `lacks`. */
export function stepIn({ start, length: room, last }: Region, lacks: readonly Call[]): fc.Arbitrary<Step> {
  const near = fc
    .tuple(fc.nat(room - 1), fc.boolean())
    .map(([at, onPage]) => start + at - (onPage ? at % PAGE : 0));
  const far = fc.integer({ min: FAR - MiB, max: FAR + MiB });
  const weights = Object.entries(last ? atTheEnd : anywhere);
  const roomFrom = (at: At) =>
    Number(at) < start + room ? start + room - Number(at) : Number.POSITIVE_INFINITY;
  return stepOn({
    at: fc.oneof({ weight: 5, arbitrary: near }, { weight: last ? 1 : 0, arbitrary: far }),
    length,
    weights: Object.fromEntries(weights.filter(([call]) => !lacks.includes(call as Call))),
    slot: fc.constant(0),
    mode: fc.constantFrom('O_RDWR', 'O_RDWR', 'O_RDWR|O_DIRECT', 'O_RDWR|O_SYNC'),
    whence: fc.constant(SEEK_END),
  }).map((step) => {
    if (step.call === 'write') return { ...step, slot: 1 };
    if (step.call === 'copyFileRange') {
      return { ...step, length: Math.min(step.length, roomFrom(step.from), roomFrom(step.to)) };
    }
    if (!('at' in step && 'length' in step)) return step;
    return { ...step, length: Math.min(step.length, roomFrom(step.at)) };
  });
}
