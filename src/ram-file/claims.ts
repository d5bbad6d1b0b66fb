import { Mutex } from '../sync/mutex.ts';
import type { Range } from './extents.ts';

/** Indexes of the numbers that all threads share. */
const CLAIM_START = 0;
const CLAIM_END = 1;
const SHRUNK_START = 2;
const SHRUNK_END = 3;
const NUMBERS = 4;

/** What another thread needs to heed the same claims. */
export interface ClaimsState {
  readonly mutex: SharedArrayBuffer;
  readonly numbers: SharedArrayBuffer;
}

/**
 * Keeps apart who makes huge pages of a range that is full, without the file's mutex since that takes a while, and who takes
 * pages away from it: the kernel would make those anew. Reading and writing need not know of it.
 *
 * All but `release` and `hasShrunk` is to be called under the mutex that all threads share.
 */
export class Claims {
  readonly state: ClaimsState;
  /** Held for as long as there is a claim. */
  readonly #mutex: Mutex<null>;
  readonly #numbers: Float64Array;

  constructor(state: ClaimsState) {
    this.state = state;
    this.#mutex = new Mutex(state.mutex, null);
    this.#numbers = new Float64Array(state.numbers);
  }

  static allocate(): ClaimsState {
    return {
      mutex: Mutex.allocate(),
      numbers: new SharedArrayBuffer(NUMBERS * Float64Array.BYTES_PER_ELEMENT),
    };
  }

  /** Before pages are taken away between two offsets: waits for who has a claim there, and tells whoever comes next. */
  shrinking(start: number, end: number): void {
    const [claimStart = 0, claimEnd = 0, shrunkStart = 0, shrunkEnd = 0] = this.#numbers;
    this.#numbers[SHRUNK_START] = shrunkEnd === 0 ? start : Math.min(start, shrunkStart);
    this.#numbers[SHRUNK_END] = Math.max(end, shrunkEnd);
    if (start >= claimEnd || end <= claimStart) return;
    this.#mutex.lock();
    this.#mutex.unlock();
  }

  /** Claims a range, until `release`. */
  claim({ start, end }: Range): void {
    this.#mutex.lock();
    this.#numbers[CLAIM_START] = start;
    this.#numbers[CLAIM_END] = end;
  }

  release(): void {
    this.#mutex.unlock();
  }

  /** Whether pages were taken away since takeShrunk. */
  get hasShrunk(): boolean {
    return this.#numbers[SHRUNK_END] !== 0;
  }

  /** The range where pages were taken away since the last call, and perhaps more; undefined when none were. */
  takeShrunk(): Range | undefined {
    const [, , start = 0, end = 0] = this.#numbers;
    this.#numbers[SHRUNK_END] = 0;
    return end === 0 ? undefined : { start, end };
  }
}
