import type { Caller } from '../proc-fs/caller.ts';
import type { ProcDirEntry } from '../proc-fs/entries/entry.ts';
import { file, type ProcNode } from '../proc-fs/entries/node.ts';
import { procAdd } from '../proc-fs/entries/proc-create.ts';
import type { MaybePromise } from '../proc-fs/handler.ts';
import { Iteration } from '../proc-fs/iteration.ts';
import { isLater } from '../proc-fs/later.ts';
import type { UserSliceWriter } from '../proc-fs/user-slice.ts';
import { bytesOf, type Text } from './buffers.ts';
import { seqLseek } from './seek.ts';

/**
 * Gives the rows of a file from the first on, for one reader. An async one is asked for no more rows than that reader reads.
 *
 * @example
 * ```ts
 * const start: SeqStart<number> = function* () {
 *   for (let row = 0; row < 1_000_000; row++) yield row;
 * };
 * procCreateSeq('rows', 0o444, null, start, (row) => `${row}\n`);
 * ```
 */
export type SeqStart<T> = (caller: Caller) => Iterable<T> | AsyncIterable<T>;

/**
 * Creates a file of rows, of which no more are made than are read: a table of a million takes no memory.
 *
 * @param mode Permission bits, 0 to 0o7777.
 * @param start Gives the rows, for each open file from the start on, and again when a reader goes back. Its caller's `signal` is
 * aborted, and its iterator closed (`return`), when the reader closes the file, is interrupted or killed, and when the tree is
 * unmounted.
 * @param show Makes a row's text, or nothing of one that is to be left out.
 *
 * A read waits for one row; what comes later than that is for the next read. To what it throws, and `start`, and the iterator, the
 * rules of ProcHandler apply. Throws as procCreate does. Source: proc_create_seq, fs/proc/generic.c; seq_read_iter, fs/seq_file.c.
 *
 * @example
 * ```ts
 * procCreateSeq('users', 0o444, null, () => database.query('SELECT * FROM users').iterate(), ({ id, name }) => `${id} ${name}\n`);
 * ```
 */
export function procCreateSeq<T>(
  name: string,
  mode: number,
  parent: ProcDirEntry | null,
  start: SeqStart<T>,
  show: (row: T) => Text,
): ProcDirEntry {
  return procAdd(name, parent, seq(mode, start, show));
}

/**
 * The same as procCreateSeq, without a name and a place.
 *
 * @example
 * ```ts
 * const job = dir(0o555, { steps: seq(0o444, () => steps.values(), (step) => `${step.name}\n`) });
 * ```
 */
export function seq<T>(mode: number, start: SeqStart<T>, show: (row: T) => Text): ProcNode {
  return file<SeqReader<T>>(mode, {
    open: () => new SeqReader(start, show),
    read: ({ privateData }, to, offset, caller) => privateData.read(to, offset, caller),
    lseek: seqLseek,
    release: ({ privateData }) => privateData.close(),
  });
}

const NOTHING = new Uint8Array();

/** Resolves when all that is ready by now has had its turn. */
function later(): Promise<undefined> {
  return new Promise((resolve) => setImmediate(resolve, undefined));
}

/** An open file of rows: the kernel's `struct seq_file`. */
class SeqReader<T> {
  readonly #start: SeqStart<T>;
  readonly #show: (row: T) => Text;
  #rows: Iteration<T> | undefined;
  #isEnded = false;
  /** Of the row that was begun, what isn't read yet, and where in the file that stands. */
  #rest: Uint8Array = NOTHING;
  #at = 0;
  /** What went wrong behind bytes that were read, for the next read to tell. */
  #failure: { readonly error: unknown } | undefined;
  /** The read that goes on. */
  #turn: Promise<void> | undefined;

  constructor(start: SeqStart<T>, show: (row: T) => Text) {
    this.#start = start;
    this.#show = show;
  }

  /** One read after the other: `lock` of a seq_file. */
  read(to: UserSliceWriter, offset: number, caller: Caller): MaybePromise<void> {
    const before = this.#turn;
    const turn =
      before === undefined
        ? this.#read(to, offset, caller)
        : before.then(() => this.#read(to, offset, caller));
    if (!isLater(turn)) return;
    const over = turn
      .catch(() => {})
      .then(() => {
        if (this.#turn === over) this.#turn = undefined;
      });
    this.#turn = over;
    return turn;
  }

  #read(to: UserSliceWriter, offset: number, caller: Caller): MaybePromise<void> {
    const failure = this.#failure;
    this.#failure = undefined;
    try {
      if (failure !== undefined && offset === this.#at) throw failure.error;
      // At 0, also for who never left: that is how one sees what is there now.
      if (offset === 0 || offset < this.#at || this.#rows?.isOver !== false) this.#begin(caller);
      const filled = this.#fill(to, offset, caller);
      return isLater(filled) ? filled.catch((error) => this.#fail(error, to)) : filled;
    } catch (error) {
      this.#fail(error, to);
    }
  }

  /** Source: seq_read_iter, whose error comes after what was copied. */
  #fail(error: unknown, to: UserSliceWriter): void {
    this.close();
    if (to.transferred === 0) throw error;
    this.#failure = { error };
  }

  #begin(caller: Caller): void {
    this.close();
    this.#rest = NOTHING;
    this.#at = 0;
    this.#isEnded = false;
    this.#rows = new Iteration(this.#start, caller);
  }

  /** Takes row after row, until one isn't there at once. */
  #fill(to: UserSliceWriter, offset: number, caller: Caller): MaybePromise<void> {
    const rows = this.#rows;
    while (rows !== undefined && this.#hand(to, offset)) {
      const next = rows.next(caller);
      if (isLater(next)) return this.#fillLater(to, offset, caller, rows, next);
      this.#take(next);
    }
  }

  async #fillLater(
    to: UserSliceWriter,
    offset: number,
    caller: Caller,
    rows: Iteration<T>,
    first: Promise<IteratorResult<T> | undefined>,
  ): Promise<void> {
    let next = await first;
    let patience: Promise<undefined> | undefined;
    do {
      this.#take(next);
      if (!this.#hand(to, offset)) return;
      if (to.transferred > 0) patience ??= later();
      next = await rows.next(caller, patience);
    } while (next !== undefined);
  }

  /** Hands out what there is of the row that was begun, from `offset` on. Returns whether there is room for more. */
  #hand(to: UserSliceWriter, offset: number): boolean {
    const wanted = offset + to.transferred;
    const skipped = this.#rest.subarray(Math.min(wanted - this.#at, this.#rest.length));
    const part = skipped.subarray(0, to.left);
    to.write(part);
    this.#at += this.#rest.length - skipped.length + part.length;
    this.#rest = skipped.subarray(part.length);
    return to.left > 0 && !this.#isEnded;
  }

  #take(next: IteratorResult<T> | undefined): void {
    if (next === undefined || next.done) this.#isEnded = true;
    else this.#rest = bytesOf(this.#show(next.value));
  }

  close(): void {
    this.#rows?.close();
    this.#rows = undefined;
  }
}
