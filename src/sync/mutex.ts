import { existsSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';

/** What the words of the lock's shared memory mean. */
const LOCK = 0;
const TAKEN = 1;
const WORDS = 2;

/** The lock word: FREE, or twice its owner's thread number, and CONTENDED added when somebody may sleep. */
const FREE = 0;
const CONTENDED = 1;

/**
 * Loads before a thread goes to sleep. The critical sections are a copy of 4 KiB in the common case, about a
 * microsecond; a futex sleep and wake-up costs tens.
 */
const SPINS = 100;

/** How long a thread sleeps before it looks whether the lock's owner still lives, in milliseconds. */
const PATIENCE = 100;

/**
 * A mutex around a value that can be taken away, shared by all worker threads: the seed's `Mutex<Option<T>>`.
 *
 * Each thread makes its own Mutex over the same shared memory, with its own view of the value; whether the value is
 * still there is part of the shared memory, so `take` in one thread is seen by the next `lock` in every other.
 * The algorithm is the three-state futex lock of Drepper's "Futexes Are Tricky": one compare-exchange when nobody
 * contends. Not reentrant.
 *
 * The lock word names its owner, as that of a robust futex does: from a thread that has ended (out of memory, or by
 * process.exit() in a worker) the lock is taken over by one of those that wait for it.
 */
export class Mutex<T> {
  readonly #words: Int32Array;
  readonly #value: T;
  readonly #recover: ((value: T) => void) | undefined;
  readonly #owned = 2 * threadNumber();

  /** The memory of a new, free mutex with its value present. */
  static allocate(): SharedArrayBuffer {
    return new SharedArrayBuffer(WORDS * Int32Array.BYTES_PER_ELEMENT);
  }

  /**
   * `recover` is called under the lock when its owner ended without unlocking, and so perhaps left the value half
   * changed. To be made in the thread that will use it.
   */
  constructor(memory: SharedArrayBuffer, value: T, recover?: (value: T) => void) {
    this.#words = new Int32Array(memory);
    this.#value = value;
    this.#recover = recover;
  }

  /** Waits for the lock. Returns the value, or null once it was taken; the lock is held in both cases. */
  lock(): T | null {
    if (Atomics.compareExchange(this.#words, LOCK, FREE, this.#owned) !== FREE) this.#wait();
    return this.#words[TAKEN] === 0 ? this.#value : null;
  }

  unlock(): void {
    if (Atomics.exchange(this.#words, LOCK, FREE) & CONTENDED) Atomics.notify(this.#words, LOCK, 1);
  }

  /** The value, for the caller alone, or null when somebody took it before: Rust's `Option::take` under the lock. */
  take(): T | null {
    const value = this.lock();
    this.#words[TAKEN] = 1;
    this.unlock();
    return value;
  }

  #wait(): void {
    for (let spin = 0; spin < SPINS; spin++) {
      if (Atomics.load(this.#words, LOCK) === FREE && this.#change(FREE, this.#owned)) return;
    }
    // Who has slept can't know whether others still do, and so keeps the word contended.
    const owned = this.#owned | CONTENDED;
    while (!this.#change(FREE, owned)) {
      const seen = Atomics.load(this.#words, LOCK);
      const contended = seen | CONTENDED;
      if (seen === FREE || (seen !== contended && !this.#change(seen, contended))) continue;
      if (Atomics.wait(this.#words, LOCK, contended, PATIENCE) !== 'timed-out') continue;
      if (isThread(seen >> 1) || !this.#change(contended, owned)) continue;
      if (this.#words[TAKEN] === 0) this.#recover?.(this.#value);
      return;
    }
  }

  #change(from: number, to: number): boolean {
    return Atomics.compareExchange(this.#words, LOCK, from, to) === from;
  }
}

/** The kernel's number of this thread, up to 2^22. Source: proc_thread-self(5). */
function threadNumber(): number {
  return Number(basename(readlinkSync('/proc/thread-self')));
}

/** Whether this process has such a thread. */
function isThread(number: number): boolean {
  return existsSync(`/proc/self/task/${number}`);
}
