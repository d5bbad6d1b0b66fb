import { fstatSync, ftruncateSync, writeSync } from 'node:fs';
import { COPY_SIZE } from './copy-space.ts';
import { dataFrom, dataIn } from './extents.ts';

/** How much is given back at once, in bytes: a few milliseconds of work. */
const STEP = 16 << 20;
/** st_blocks counts in units of 512 bytes. */
const BLOCK = 512;

/** How far the memory of a file was given back, in bytes. */
export interface GivenBack {
  readonly bytes: number;
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
): Generator<GivenBack, void> {
  const total = memoryOf(fd);
  for (const start of stepsOf(fd).reverse()) {
    forget(start, fstatSync(fd).size);
    ftruncateSync(fd, start);
    yield { bytes: Math.max(0, total - memoryOf(fd)), total };
  }
  // What was reserved and never written isn't data.
  ftruncateSync(fd, 0);
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

function memoryOf(fd: number): number {
  return fstatSync(fd).blocks * BLOCK;
}
