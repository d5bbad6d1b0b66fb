/** What the words of the lock's shared memory mean. */
const LOCK = 0;
const TAKEN = 1;
const WORDS = 2;

const FREE = 0;
const HELD = 1;
const CONTENDED = 2;

/**
 * Loads before a thread goes to sleep. The critical sections are a copy of 4 KiB in the common case, about a
 * microsecond; a futex sleep and wake-up costs tens.
 */
const SPINS = 100;

/**
 * A mutex around a value that can be taken away, shared by all worker threads: the seed's `Mutex<Option<T>>`.
 *
 * Each thread makes its own Mutex over the same shared memory, with its own view of the value; whether the value is
 * still there is part of the shared memory, so `take` in one thread is seen by the next `lock` in every other.
 * The algorithm is the three-state futex lock of Drepper's "Futexes Are Tricky": one compare-exchange when nobody
 * contends. Not reentrant.
 */
export class Mutex<T> {
  readonly #words: Int32Array;
  readonly #value: T;

  /** The memory of a new, free mutex with its value present. */
  static allocate(): SharedArrayBuffer {
    return new SharedArrayBuffer(WORDS * Int32Array.BYTES_PER_ELEMENT);
  }

  constructor(memory: SharedArrayBuffer, value: T) {
    this.#words = new Int32Array(memory);
    this.#value = value;
  }

  /** Waits for the lock. Returns the value, or null once it was taken; the lock is held in both cases. */
  lock(): T | null {
    if (Atomics.compareExchange(this.#words, LOCK, FREE, HELD) !== FREE) this.#wait();
    return this.#words[TAKEN] === 0 ? this.#value : null;
  }

  unlock(): void {
    if (Atomics.exchange(this.#words, LOCK, FREE) === CONTENDED) Atomics.notify(this.#words, LOCK, 1);
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
      if (
        Atomics.load(this.#words, LOCK) === FREE &&
        Atomics.compareExchange(this.#words, LOCK, FREE, HELD) === FREE
      ) {
        return;
      }
    }
    while (Atomics.exchange(this.#words, LOCK, CONTENDED) !== FREE) {
      Atomics.wait(this.#words, LOCK, CONTENDED);
    }
  }
}
