import { ENOENT, Errno } from '../../sys/errno.ts';
import type { Caller } from '../caller.ts';
import type { MaybePromise } from '../handler.ts';
import { Iteration } from '../iteration.ts';
import { whenThere } from '../later.ts';
import type { ProcDirEntry } from './entry.ts';

/** Where `..` stands in a listing; `.` is before it, and an entry that was added stands at its inode number, which is above. */
const DOT = 0;
const DOT_DOT = 1;

/** Where the first name stands that is looked up: above all inode numbers. The others follow in the order of the listing. */
const FIRST_NAME = 2 ** 40;

/** Takes an entry of a listing, `next` being the position behind it. Returns false, and takes nothing, when there is no room. */
export type AddEntry = (name: string, entry: ProcDirEntry, next: number) => boolean;

/**
 * A directory that somebody has open, to list it.
 *
 * The position behind an entry that was added is its inode number: numbers only grow, so entries that come and go between two
 * calls make none of the others appear twice or not at all. Names that are looked up come from one run of `iterate`, of which no more
 * is kept than what the last call listed; who goes back further has it run again.
 */
export class OpenDirectory {
  readonly #directory: ProcDirEntry;
  #names: Iteration<string> | undefined;
  /** Names that the run has given: the first of them is number `#first`. */
  #given: string[] = [];
  #first = 0;
  #isEnded = false;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(directory: ProcDirEntry) {
    this.#directory = directory;
  }

  /** Lists from a position on. Throws ENOENT in a directory that is gone, and what DirOps throw. */
  list(position: number, caller: Caller, add: AddEntry): MaybePromise<void> {
    const directory = this.#directory;
    if (directory.names === undefined) {
      this.#listAdded(position, add);
      return;
    }
    return whenThere(directory.isGone(caller), (gone) => {
      if (gone) throw new Errno(ENOENT);
      if (!this.#listAdded(position, add)) return;
      const turn = this.#turn.then(() => this.#listNames(position, caller, add));
      this.#turn = turn.catch(() => {});
      return turn;
    });
  }

  #listAdded(position: number, add: AddEntry): boolean {
    const directory = this.#directory;
    if (position <= DOT && !add('.', directory, DOT_DOT)) return false;
    if (position <= DOT_DOT && !add('..', directory.parent, DOT_DOT + 1)) return false;
    for (const child of directory.children) {
      if (child.ino >= position && !add(child.name, child, child.ino + 1)) return false;
    }
    return true;
  }

  async #listNames(position: number, caller: Caller, add: AddEntry): Promise<void> {
    const start = Math.max(position - FIRST_NAME, 0);
    if (position < FIRST_NAME || start < this.#first || this.#names?.isOver !== false)
      this.#startAgain(caller);
    const behind = this.#given.splice(0, start - this.#first).length;
    this.#first += behind;
    for (let number = start; ; number++) {
      const name = await this.#name(number, caller);
      if (name === undefined) return;
      const entry = await this.#directory.lookup(name, caller);
      if (entry !== undefined && !add(name, entry, FIRST_NAME + number + 1)) return;
    }
  }

  #startAgain(caller: Caller): void {
    this.close();
    const { names } = this.#directory;
    this.#names = names === undefined ? undefined : new Iteration(names, caller);
    this.#given = [];
    this.#first = 0;
    this.#isEnded = false;
  }

  /** The name that the run gives as number `number`, at or behind `#first`. */
  async #name(number: number, caller: Caller): Promise<string | undefined> {
    while (this.#given.length <= number - this.#first) {
      if (this.#isEnded || this.#names === undefined) return undefined;
      const next = await this.#names.next(caller);
      if (next === undefined || next.done) this.#isEnded = true;
      else this.#given.push(next.value);
    }
    return this.#given[number - this.#first];
  }

  /** Ends the run. */
  close(): void {
    this.#names?.close();
  }
}
