import { fstatSync, ftruncateSync, writeSync } from 'node:fs';
import { hugeUp } from '../sys/huge-pages.ts';
import { FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE, fallocate } from '../sys/memfd.ts';
import { dataFrom, dataIn, pageDown, pageUp } from './extents.ts';
import { COPY_SIZE } from './sizes.ts';

/** How much is given back at once, in bytes: a few milliseconds of work. */
const STEP = 16 << 20;
/** st_blocks counts in units of 512 bytes. */
const BLOCK = 512;

/**
 * How much of a file's memory is given back so far.
 *
 * @example
 * ```ts
 * for (const { bytes, total } of ram.tearingDown()) console.log(`${Math.round((100 * bytes) / total)} %`);
 * ```
 */
export interface Freed {
  /** How much, in bytes. */
  readonly bytes: number;
  /** Of how much, in bytes. */
  readonly total: number;
}

/**
 * Gives all memory of a file back, and yields after each step. `forget` is called before with the range that comes next, from
 * the end to the start: whoever still reads the file, as clients to whom the kernel lent it may, sees it become shorter,
 * and no run of data that is looked at goes beyond the step.
 */
export function* giveBack(
  fd: number,
  forget: (start: number, end: number) => void,
): Generator<Freed, void, undefined> {
  const total = memoryOf(fd);
  for (const start of stepsOf(fd).reverse()) {
    forget(start, fstatSync(fd).size);
    ftruncateSync(fd, start);
    yield { bytes: Math.max(0, total - memoryOf(fd)), total };
  }
  // What was reserved and never written isn't data.
  ftruncateSync(fd, 0);
}

/**
 * How long to go on asking for the memory of a part of a huge page, and between two times, in milliseconds. While somebody
 * refers to the page, as clients do for the moment in which they copy from a file that the kernel was lent, it can't be
 * split: then the part is zeroed and keeps its memory (truncate_inode_partial_folio).
 */
const PATIENCE = 500;
const PAUSE = 1;

/** Makes a hole between two offsets, which gives the memory of whole pages back. Also past the file's end. */
export function punch(fd: number, start: number, end: number): void {
  const first = pageUp(start);
  const last = pageDown(end);
  const ask = () => fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, start, end - start);
  ask();
  const late = performance.now() + PATIENCE;
  while (first < last && dataFrom(fd, first) < last && performance.now() < late) {
    sleep(PAUSE);
    ask();
  }
}

/** Makes a file `size` bytes long. */
export function cut(fd: number, size: number): void {
  // What is left of a huge page behind the end could not be found any more.
  const rest = Math.min(hugeUp(size), fstatSync(fd).size);
  if (pageUp(size) < rest) punch(fd, pageUp(size), rest);
  ftruncateSync(fd, size);
}

/** Overwrites the data between two offsets. */
export function overwrite(fd: number, start: number, end: number): void {
  const zeros = new Uint8Array(COPY_SIZE);
  for (const data of dataIn(fd, start, end)) {
    for (let at = data.start; at < data.end; ) {
      at += writeSync(fd, zeros, 0, Math.min(zeros.length, data.end - at), at);
    }
  }
}

/** Where the steps start that have data in them. */
function stepsOf(fd: number): number[] {
  const steps: number[] = [];
  for (let at = dataFrom(fd, 0); at < Number.POSITIVE_INFINITY; ) {
    const start = Math.floor(at / STEP) * STEP;
    steps.push(start);
    at = dataFrom(fd, start + STEP);
  }
  return steps;
}

/** Lets the thread that is in the way have the processor. */
function sleep(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

function memoryOf(fd: number): number {
  return fstatSync(fd).blocks * BLOCK;
}
