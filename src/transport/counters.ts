import { Errno } from '../sys/errno.ts';
import { BUCKETS, bucketOf, type OperationStatistics } from './statistics.ts';

/** One in so many requests is timed: to look at the clock twice costs as much as a small request. A prime number, so that operations that take turns all have theirs. */
export const SAMPLE = 127;

/** Indexes of a cell's numbers. */
const FILE = 0;
const OPERATION = 1;
const REQUESTS = 2;
const BYTES = 3;
const TIMED = 4;
const SUM = 5;
const MAX = 6;
const OTHER_ERRORS = 7;
/** Pairs of an error number and how often it was answered. */
const ERRORS = 8;
const LAST_ERROR = 22;
const FIRST_BUCKET = 24;
const CELL = FIRST_BUCKET + BUCKETS;

/** The first cells are for the files that have none of their own, by operation. No operation has the number 0. */
export const OPERATIONS = 64;
const CELLS = 512;

/**
 * What one thread counts, in numbers that others may read meanwhile: only this thread writes to them, so that it needs no lock. Who asks
 * adds up those of all threads.
 *
 * A cell for each file and operation, found once. When there are too many files, the later ones are counted together, as file 0.
 */
export class Counters {
  readonly #numbers: Float64Array;
  readonly #cells = new Map<number, Cell>();
  #next = OPERATIONS;

  /** `shared`: see allocate. What is in it, which a thread before this one counted, stays. `tid`: of this thread. */
  constructor(shared: SharedArrayBuffer, tid: number) {
    this.#numbers = new Float64Array(shared);
    this.#numbers[0] = tid;
    for (; this.#next < CELLS; this.#next++) {
      const cell = this.#at(this.#next);
      const [file = 0, operation = 0] = cell;
      if (operation === 0) break;
      this.#cells.set(keyOf(file, operation), cell);
    }
  }

  /** Memory comes with what is written to it. */
  static allocate(): SharedArrayBuffer {
    return new SharedArrayBuffer(CELLS * CELL * Float64Array.BYTES_PER_ELEMENT);
  }

  /** The cell of a file's operation, for `count`. */
  cell(file: number, operation: number): Cell {
    const key = keyOf(file, operation);
    const known = this.#cells.get(key);
    if (known !== undefined) return known;
    const isKnown = operation > 0 && operation < OPERATIONS;
    const hasOwn = isKnown && this.#next < CELLS;
    const cell = this.#at(hasOwn ? this.#next++ : isKnown ? operation : OPERATIONS - 1);
    if (hasOwn) cell[FILE] = file;
    cell[OPERATION] = operation;
    this.#cells.set(key, cell);
    return cell;
  }

  #at(index: number): Cell {
    return this.#numbers.subarray(index * CELL, (index + 1) * CELL);
  }
}

/** What is counted of one operation of one file. */
export type Cell = Float64Array;

/** Counts a request that was answered with `result`. */
export function count(cell: Cell, result: number, bytes: number): void {
  cell[REQUESTS] = (cell[REQUESTS] ?? 0) + 1;
  if (bytes !== 0) cell[BYTES] = (cell[BYTES] ?? 0) + bytes;
  if (result < 0) failed(cell, -result);
}

/** Notes how long a request took that is counted, in milliseconds. */
export function countTime(cell: Cell, ms: number): void {
  const bucket = FIRST_BUCKET + bucketOf(ms);
  cell[bucket] = (cell[bucket] ?? 0) + 1;
  cell[TIMED] = (cell[TIMED] ?? 0) + 1;
  cell[SUM] = (cell[SUM] ?? 0) + ms;
  cell[MAX] = Math.max(cell[MAX] ?? 0, ms);
}

function failed(cell: Cell, errno: number): void {
  for (let at = ERRORS; at <= LAST_ERROR; at += 2) {
    if (cell[at] !== 0 && cell[at] !== errno) continue;
    cell[at + 1] = (cell[at + 1] ?? 0) + 1;
    cell[at] = errno;
    return;
  }
  cell[OTHER_ERRORS] = (cell[OTHER_ERRORS] ?? 0) + 1;
}

function keyOf(file: number, operation: number): number {
  return file * OPERATIONS + operation;
}

/** The thread that counts there, by the kernel's number, and how many requests it has answered. */
export function threadOf(shared: SharedArrayBuffer): { tid: number; requests: number } {
  const numbers = new Float64Array(shared);
  let requests = 0;
  for (let cell = CELL; cell < numbers.length; cell += CELL) requests += numbers[cell + REQUESTS] ?? 0;
  return { tid: numbers[0] ?? 0, requests };
}

/** How operations and files are called. */
export interface Names {
  operation(operation: number): string;
  path(file: number): string;
}

interface Row {
  readonly operation: string;
  readonly path: string;
  readonly sum: Float64Array;
  readonly errors: Record<string, number>;
}

/** What several threads have counted, together, the most asked first. */
export function addUp(
  all: readonly SharedArrayBuffer[],
  { operation: nameOf, path: pathOf }: Names,
): OperationStatistics[] {
  const rows = new Map<string, Row>();
  for (const shared of all) {
    const numbers = new Float64Array(shared);
    for (let at = CELL; at < numbers.length; at += CELL) {
      const cell = numbers.subarray(at, at + CELL);
      if ((cell[REQUESTS] ?? 0) === 0) continue;
      const operation = nameOf(cell[OPERATION] ?? 0);
      const path = cell[FILE] === 0 ? '' : pathOf(cell[FILE] ?? 0);
      const key = `${operation} ${path}`;
      const row = rows.get(key) ?? { operation, path, sum: new Float64Array(CELL), errors: {} };
      rows.set(key, row);
      add(row, cell);
    }
  }
  return [...rows.values()]
    .toSorted((one, other) => (other.sum[REQUESTS] ?? 0) - (one.sum[REQUESTS] ?? 0))
    .map(({ operation, path, sum, errors }) => ({
      ...{ operation, path, errors },
      requests: sum[REQUESTS] ?? 0,
      bytes: sum[BYTES] ?? 0,
      timed: sum[TIMED] ?? 0,
      sum: sum[SUM] ?? 0,
      max: sum[MAX] ?? 0,
      buckets: [...sum.subarray(FIRST_BUCKET)].flatMap((count, bucket) =>
        count === 0 ? [] : [[bucket, count] as const],
      ),
    }));
}

function add({ sum, errors }: Row, cell: Float64Array): void {
  const longest = Math.max(sum[MAX] ?? 0, cell[MAX] ?? 0);
  for (const index of sum.keys()) sum[index] = (sum[index] ?? 0) + (cell[index] ?? 0);
  sum[MAX] = longest;
  addErrors(errors, cell);
}

function addErrors(errors: Record<string, number>, cell: Float64Array): void {
  const add = (name: string, count: number) => {
    if (count > 0) errors[name] = (errors[name] ?? 0) + count;
  };
  for (let at = ERRORS; at <= LAST_ERROR; at += 2) {
    const errno = cell[at] ?? 0;
    if (errno !== 0) add(new Errno(errno).code, cell[at + 1] ?? 0);
  }
  add('others', cell[OTHER_ERRORS] ?? 0);
}
