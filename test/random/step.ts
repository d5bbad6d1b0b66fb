import fc from 'fast-check';

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

/** One call of a sequence, in a form that JSON keeps. `seed` says which bytes are written. */
export type Step =
  | { readonly call: 'open'; readonly slot: Slot; readonly mode: (typeof openModes)[number] }
  | { readonly call: 'close' | 'fsync' | 'fstat'; readonly slot: Slot }
  | { readonly call: 'read'; readonly slot: Slot; readonly length: number }
  | { readonly call: 'pread'; readonly slot: Slot; readonly length: number; readonly at: At }
  | { readonly call: 'readv'; readonly slot: Slot; readonly lengths: readonly number[] }
  | { readonly call: 'write'; readonly slot: Slot; readonly length: number; readonly seed: number }
  | {
      readonly call: 'pwrite';
      readonly slot: Slot;
      readonly length: number;
      readonly at: At;
      readonly seed: number;
    }
  | {
      readonly call: 'writev';
      readonly slot: Slot;
      readonly lengths: readonly number[];
      readonly seed: number;
    }
  | { readonly call: 'ftruncate'; readonly slot: Slot; readonly at: At }
  | { readonly call: 'truncate'; readonly at: At }
  | { readonly call: 'lseek'; readonly slot: Slot; readonly offset: number; readonly whence: number }
  /** `mode`: 0 to allocate, 1 with KEEP_SIZE, 3 to punch. */
  | {
      readonly call: 'fallocate';
      readonly slot: Slot;
      readonly mode: 0 | 1 | 3;
      readonly at: At;
      readonly length: number;
    }
  | {
      readonly call: 'copyFileRange';
      readonly slot: Slot;
      readonly from: At;
      readonly to: At;
      readonly length: number;
    }
  /** Maps some pages with a descriptor, in the place of what was mapped with it before. */
  | {
      readonly call: 'mmap';
      readonly slot: Slot;
      readonly page: number;
      readonly pages: number;
      readonly shared: boolean;
    }
  /** Touches the data that the mapping has from `skip` on, or else its first; `skip` counts around within it. */
  | { readonly call: 'load'; readonly slot: Slot; readonly skip: number; readonly length: number }
  | {
      readonly call: 'store';
      readonly slot: Slot;
      readonly skip: number;
      readonly length: number;
      readonly seed: number;
    }
  /** Stores through a mapping made for it, and waits until the file has it; `at` counts around within the file. */
  | {
      readonly call: 'mmapWrite';
      readonly slot: Slot;
      readonly at: At;
      readonly length: number;
      readonly seed: number;
    };

const PAGE = 4096;
const MIB = 1 << 20;

/** Where the part of a file that a daemon maps ends: see MappedPages. */
const WINDOW = 2 ** 32 - PAGE - 64 * 4 * MIB;

const slot = fc.constantFrom<Slot[]>(0, 1);
const seed = fc.nat(250);
const mode = fc.oneof(fc.constant(openModes[0]), fc.constantFrom(...openModes));
const few = fc.integer({ min: -2, max: 2 });
const around = (edge: number, times: number) =>
  fc.tuple(fc.nat(times), few).map(([n, more]) => Math.max(0, n * edge + more));

const at: fc.Arbitrary<At> = fc.oneof(
  { weight: 4, arbitrary: fc.nat(40) },
  { weight: 7, arbitrary: around(PAGE, 12) },
  { weight: 3, arbitrary: fc.nat(60_000) },
  { weight: 5, arbitrary: fc.oneof(few, fc.integer({ min: -9000, max: 9000 })).map((end) => ({ end })) },
  { weight: 2, arbitrary: around(MIB, 6) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom(WINDOW, 2 ** 32, 2 ** 33), fc.integer({ min: -5000, max: 2 }))
      .map(([edge, more]) => edge + more),
  },
);

const length = fc.oneof(
  { weight: 6, arbitrary: fc.nat(20) },
  { weight: 6, arbitrary: around(PAGE, 3) },
  { weight: 4, arbitrary: fc.nat(20_000) },
  { weight: 1, arbitrary: around(MIB, 2) },
);
const lengths = fc.array(fc.oneof(fc.nat(20), fc.nat(9000)), { minLength: 1, maxLength: 5 });

const call = <N extends Step['call']>(name: N) => fc.constant(name);

export const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ call: call('open'), slot, mode }) },
  { weight: 2, arbitrary: fc.record({ call: fc.constantFrom('close', 'fsync', 'fstat'), slot }) },
  { weight: 2, arbitrary: fc.record({ call: call('read'), slot, length }) },
  { weight: 2, arbitrary: fc.record({ call: call('pread'), slot, length, at }) },
  { weight: 1, arbitrary: fc.record({ call: call('readv'), slot, lengths }) },
  { weight: 3, arbitrary: fc.record({ call: call('write'), slot, length, seed }) },
  { weight: 6, arbitrary: fc.record({ call: call('pwrite'), slot, length, at, seed }) },
  { weight: 1, arbitrary: fc.record({ call: call('writev'), slot, lengths, seed }) },
  { weight: 2, arbitrary: fc.record({ call: call('ftruncate'), slot, at }) },
  { weight: 1, arbitrary: fc.record({ call: call('truncate'), at }) },
  {
    weight: 4,
    arbitrary: fc.record({
      call: call('lseek'),
      slot,
      offset: fc.oneof(few, around(PAGE, 12), fc.integer({ min: -9000, max: 60_000 })),
      whence: fc.nat(4),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      call: call('fallocate'),
      slot,
      mode: fc.constantFrom(0, 1, 3, 3),
      at,
      length,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ call: call('copyFileRange'), slot, from: at, to: at, length: fc.nat(200_000) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      call: call('mmap'),
      slot,
      page: fc.nat(4),
      pages: fc.integer({ min: 1, max: 6 }),
      shared: fc.boolean(),
    }),
  },
  { weight: 3, arbitrary: fc.record({ call: call('load'), slot, skip: around(PAGE, 6), length }) },
  { weight: 3, arbitrary: fc.record({ call: call('store'), slot, skip: around(PAGE, 6), length, seed }) },
  { weight: 2, arbitrary: fc.record({ call: call('mmapWrite'), slot, at, length, seed }) },
);

/** A sequence starts with both descriptors open, so that its first calls already do something. */
export const sequence: fc.Arbitrary<Step[]> = fc
  .tuple(mode, mode, fc.array(step, { minLength: 1, maxLength: 40, size: 'max' }))
  .map(([one, other, steps]) => [
    { call: 'open', slot: 0, mode: one },
    { call: 'open', slot: 1, mode: other },
    ...steps,
  ]);
