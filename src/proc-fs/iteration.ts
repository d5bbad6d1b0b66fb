import { EINTR, Errno } from '../sys/errno.ts';
import type { Caller } from './caller.ts';
import type { MaybePromise } from './handler.ts';
import { isLater } from './later.ts';

/** Who an iteration is for: the caller it was started by, for as long as it goes on. */
class Reader implements Caller {
  readonly #caller: Caller;
  readonly signal: AbortSignal;

  constructor(caller: Caller, signal: AbortSignal) {
    this.#caller = caller;
    this.signal = signal;
  }

  get uid(): number {
    return this.#caller.uid;
  }

  get gid(): number {
    return this.#caller.gid;
  }

  get tid(): number {
    return this.#caller.tid;
  }

  get pid(): number {
    return this.#caller.pid;
  }

  get flags(): number {
    return this.#caller.flags;
  }

  get nonblock(): boolean {
    return this.#caller.nonblock;
  }
}

/**
 * One run through what an author iterates over, for one reader, who may go at any moment: when a call that waits is interrupted,
 * or at `close`, the signal of the caller that it was started with is aborted and the iterator is closed.
 */
export class Iteration<T> {
  readonly #abort = new AbortController();
  readonly #iterator: Iterator<T> | AsyncIterator<T>;
  /** What was asked of the iterator and isn't there yet. */
  #pending: Promise<IteratorResult<T>> | undefined;
  #isOver = false;

  /** Throws what `start` throws. */
  constructor(start: (caller: Caller) => Iterable<T> | AsyncIterable<T>, caller: Caller) {
    const all = start(new Reader(caller, this.#abort.signal));
    this.#iterator = Symbol.asyncIterator in all ? all[Symbol.asyncIterator]() : all[Symbol.iterator]();
  }

  /** Whether nothing comes any more: it was closed, or the call of somebody who waited for the next was interrupted. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /**
   * The next that the iterator gives, or undefined when `patience` resolves before: then the same is asked for again. Rejects with
   * EINTR when `caller` waits no more. One call after the other.
   */
  next(caller: Caller, patience?: Promise<undefined>): MaybePromise<IteratorResult<T> | undefined> {
    const next = this.#pending ?? this.#iterator.next();
    if (!isLater(next)) return next;
    this.#pending = next;
    return this.#wait(next, caller, patience);
  }

  async #wait(
    next: Promise<IteratorResult<T>>,
    { signal }: Caller,
    patience: Promise<undefined> | undefined,
  ): Promise<IteratorResult<T> | undefined> {
    let interrupted = () => {};
    const interruption = new Promise<never>((_, reject) => {
      interrupted = () => {
        this.close();
        reject(new Errno(EINTR));
      };
    });
    if (signal.aborted) interrupted();
    else signal.addEventListener('abort', interrupted);
    const contenders: Promise<IteratorResult<T> | undefined>[] = [next, interruption];
    if (patience !== undefined) contenders.push(patience);
    try {
      const first = await Promise.race(contenders);
      if (first !== undefined) this.#pending = undefined;
      return first;
    } catch (error) {
      this.#pending = undefined;
      throw error;
    } finally {
      signal.removeEventListener('abort', interrupted);
    }
  }

  /** A generator that waits for something closes when it has that, or when it hears the signal: nobody waits here. */
  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#abort.abort();
    this.#pending?.catch(() => {});
    try {
      const closed = this.#iterator.return?.();
      if (isLater(closed)) closed.catch(() => {});
    } catch (error) {
      console.error(error);
    }
  }
}
