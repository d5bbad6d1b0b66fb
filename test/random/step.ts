import fc from 'fast-check';
import { COPY_SIZE } from '../../src/ram-file/sizes.ts';
import { FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE, FALLOC_FL_ZERO_RANGE } from '../../src/sys/memfd.ts';

/** A place in the file: bytes from the start, or so many behind its end. Below the start it counts as the start. */
export type At = number | { readonly end: number };

/** Which of the two descriptors a call is on. */
export type Slot = 0 | 1;

export const openModes = [
  'O_RDWR',
  'O_RDONLY',
  'O_WRONLY',
  'O_RDWR|O_APPEND',
  'O_WRONLY|O_APPEND',
  'O_RDWR|O_TRUNC',
  'O_RDWR|O_DIRECT',
  'O_RDWR|O_SYNC',
] as const;
export type OpenMode = (typeof openModes)[number];

/** What a time is set to, in seconds since 1970: whether a file was read or changed since is then plain to see. */
export const times = { 'long ago': 1000, future: 4_000_000_000 } as const;
export type Time = keyof typeof times;

/** The calls, each with what it is given. `seed` says which bytes are written. */
interface Parameters {
  open: { slot: Slot; mode: OpenMode };
  close: { slot: Slot };
  fsync: { slot: Slot };
  fstat: { slot: Slot };
  futimens: { slot: Slot; atime: Time; mtime: Time };
  read: { slot: Slot; length: number };
  pread: { slot: Slot; length: number; at: At };
  readv: { slot: Slot; lengths: readonly number[] };
  write: { slot: Slot; length: number; seed: number };
  pwrite: { slot: Slot; length: number; at: At; seed: number };
  writev: { slot: Slot; lengths: readonly number[]; seed: number };
  ftruncate: { slot: Slot; at: At };
  truncate: { at: At };
  lseek: { slot: Slot; offset: number; whence: number };
  fallocate: { slot: Slot; mode: number; at: At; length: number };
  copyFileRange: { slot: Slot; from: At; to: At; length: number };
  /** Maps some pages with a descriptor, in the place of what was mapped with it before. */
  mmap: { slot: Slot; page: number; pages: number; shared: boolean };
  /** Touches the data that the mapping has from `skip` on, or else its first; `skip` counts around within it. */
  load: { slot: Slot; skip: number; length: number };
  store: { slot: Slot; skip: number; length: number; seed: number };
  /** Stores through a mapping made for it, and waits until the file has it; `at` counts around within the file. */
  mmapWrite: { slot: Slot; at: At; length: number; seed: number };
}

export type Call = keyof Parameters;

/** One call of a sequence, in a form that JSON keeps and that shrinks well. */
export type Step = { [C in Call]: { readonly call: C } & Readonly<Parameters[C]> }[Call];

/** Where in a file steps go, how long they are, and how often each call comes beside the others; the rest never does. */
export interface Terrain {
  readonly at: fc.Arbitrary<At>;
  readonly length: fc.Arbitrary<number>;
  readonly weights: Readonly<Partial<Record<Call, number>>>;
  /** Default: either. */
  readonly slot?: fc.Arbitrary<Slot>;
  /** Default: any, and O_RDWR as often as all others. */
  readonly mode?: fc.Arbitrary<OpenMode>;
  /** Default: SEEK_SET to SEEK_HOLE. */
  readonly whence?: fc.Arbitrary<number>;
}

const PAGE = 4096;

export const few = fc.integer({ min: -2, max: 2 });

/** On a multiple of `edge`, from 0 to `times` of it, or just beside it. */
export function around(edge: number, times: number): fc.Arbitrary<number> {
  return fc.tuple(fc.nat(times), few).map(([n, more]) => Math.max(0, n * edge + more));
}

export const openMode: fc.Arbitrary<OpenMode> = fc.oneof(
  fc.constant(openModes[0]),
  fc.constantFrom(...openModes),
);

const PUNCH = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
const ZERO = FALLOC_FL_ZERO_RANGE;
const served = [0, FALLOC_FL_KEEP_SIZE, PUNCH, PUNCH, ZERO, ZERO | FALLOC_FL_KEEP_SIZE];
/** No mode, PUNCH_HOLE alone, COLLAPSE_RANGE, INSERT_RANGE, UNSHARE_RANGE, and two at once. */
const refused = [0x80, FALLOC_FL_PUNCH_HOLE, 0x08, 0x20, 0x40, FALLOC_FL_PUNCH_HOLE | ZERO];
const fallocateMode = fc.oneof(
  { weight: 10, arbitrary: fc.constantFrom(...served) },
  { weight: 1, arbitrary: fc.constantFrom(...refused) },
);

const seed = fc.nat(250);
const lengths = fc.array(fc.oneof(fc.nat(20), fc.nat(9000)), { minLength: 1, maxLength: 5 });
const skip = around(PAGE, 6);
const time = fc.constantFrom<Time[]>('long ago', 'long ago', 'future');

/** A step on a terrain. */
export function stepOn(terrain: Terrain): fc.Arbitrary<Step> {
  const { at, length, weights } = terrain;
  const { slot = fc.constantFrom<Slot[]>(0, 1), mode = openMode, whence = fc.nat(4) } = terrain;
  const parameters: { [C in Call]: { [P in keyof Parameters[C]]: fc.Arbitrary<Parameters[C][P]> } } = {
    open: { slot, mode },
    close: { slot },
    fsync: { slot },
    fstat: { slot },
    futimens: { slot, atime: time, mtime: time },
    read: { slot, length },
    pread: { slot, length, at },
    readv: { slot, lengths },
    write: { slot, length, seed },
    pwrite: { slot, length, at, seed },
    writev: { slot, lengths, seed },
    ftruncate: { slot, at },
    truncate: { at },
    lseek: {
      slot,
      offset: fc.oneof(few, around(PAGE, 12), fc.integer({ min: -9000, max: 60_000 })),
      whence,
    },
    fallocate: { slot, mode: fallocateMode, at, length },
    copyFileRange: {
      slot,
      from: at,
      to: at,
      length: fc.oneof(length, fc.nat(200_000)).map((bytes) => Math.min(bytes, COPY_SIZE)),
    },
    mmap: { slot, page: fc.nat(4), pages: fc.integer({ min: 1, max: 6 }), shared: fc.boolean() },
    load: { slot, skip, length },
    store: { slot, skip, length, seed },
    mmapWrite: { slot, at, length, seed },
  };
  const steps = Object.entries(parameters).map(([call, its]) => ({
    weight: weights[call as Call] ?? 0,
    // One record for all calls: their types are those of `parameters`.
    arbitrary: fc.record({ call: fc.constant(call), ...(its as object) }, { noNullPrototype: true }),
  }));
  return fc.oneof(...steps) as fc.Arbitrary<unknown> as fc.Arbitrary<Step>;
}
