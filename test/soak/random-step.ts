import { KiB, MiB } from '../../scripts/bench/sizes.ts';
import type { Step } from '../random/step.ts';
import type { Region } from './regions.ts';

const PAGE = 4 * KiB;
const SEEK_END = 2;

/** Around here ends the part of a file that a daemon maps; what lies behind is read and written by calls. */
const FAR = 2 ** 32;

/** From 0 to `below` - 1. */
function random(below: number): number {
  return Math.floor(Math.random() * below);
}

function oneOf<T>(choices: readonly T[]): T {
  return choices[random(choices.length)] as T;
}

function randomLength(): number {
  return oneOf([
    () => 1 + random(40),
    () => PAGE * (1 + random(8)),
    () => 1 + random(20_000),
    () => 1 + random(oneOf([128 * KiB, 128 * KiB, MiB])),
  ])();
}

/** An offset in the region from which `length` bytes stay within it: every other one on a page. */
function randomOffset({ start, length: room }: Region, length: number): number {
  const offset = start + random(room - length);
  return oneOf([offset, offset - (offset % PAGE)]);
}

type Make = (region: Region, size: number) => Step | undefined;

const pwrite: Make = (region) => {
  const length = randomLength();
  return { call: 'pwrite', slot: 0, length, at: randomOffset(region, length), seed: random(250) };
};

const pread: Make = (region) => {
  const length = randomLength();
  return { call: 'pread', slot: 0, length, at: randomOffset(region, length) };
};

const punch: Make = (region) => {
  const length = oneOf([randomLength(), random(2 * MiB) + 1]);
  return { call: 'fallocate', slot: 0, mode: 3, at: randomOffset(region, length), length };
};

const allocate: Make = (region) => {
  const length = randomLength();
  return { call: 'fallocate', slot: 0, mode: oneOf([0, 1]), at: randomOffset(region, length), length };
};

const copy: Make = (region) => {
  const length = randomLength();
  return {
    call: 'copyFileRange',
    slot: 0,
    from: randomOffset(region, length),
    to: randomOffset(region, length),
    length,
  };
};

const mmapWrite: Make = ({ start, length: room }, size) => {
  const there = Math.min(size - start, room);
  if (there <= 0) return undefined;
  const at = start + random(there);
  return {
    call: 'mmapWrite',
    slot: 0,
    at,
    length: Math.min(randomLength(), start + room - at),
    seed: random(250),
  };
};

const reopen: Make = () => ({
  call: 'open',
  slot: 0,
  mode: oneOf(['O_RDWR', 'O_RDWR', 'O_RDWR|O_DIRECT', 'O_RDWR|O_SYNC']),
});

const fsync: Make = () => ({ call: 'fsync', slot: 0 });

const cut: Make = ({ start, length }) => ({
  call: 'ftruncate',
  slot: 0,
  at: oneOf([0, 0, 0, 1]) * FAR + start + random(length),
});

/** Slot 1 is open with O_APPEND. */
const append: Make = () => ({ call: 'write', slot: 1, length: randomLength(), seed: random(250) });

const end: Make = () => ({ call: 'lseek', slot: 0, offset: 0, whence: SEEK_END });

const far: Make = () => ({
  call: 'pwrite',
  slot: 0,
  length: randomLength(),
  at: FAR - MiB + random(MiB),
  seed: random(250),
});

function times(count: number, make: Make): Make[] {
  return Array.from({ length: count }, () => make);
}

const anywhere: readonly Make[] = [
  ...times(8, pwrite),
  ...times(8, pread),
  ...times(3, punch),
  ...times(2, copy),
  ...times(2, mmapWrite),
  allocate,
  reopen,
  fsync,
];
const atTheEnd: readonly Make[] = [...anywhere, ...times(4, cut), ...times(3, append), ...times(2, end), far];

/** A call on a region of a file that is `size` bytes long, none of `lacks`. */
export function randomStep(region: Region, size: number, lacks: readonly Step['call'][]): Step {
  for (;;) {
    const step = oneOf(region.last ? atTheEnd : anywhere)(region, size);
    if (step !== undefined && !lacks.includes(step.call)) return step;
  }
}
