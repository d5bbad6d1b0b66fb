import { message } from '../../text/message.ts';
import type { Caller } from '../caller.ts';
import type { MaybePromise } from '../handler.ts';
import { isLater, whenThere } from '../later.ts';
import type { DirOps } from './dir-ops.ts';
import type { ProcDirEntry } from './entry.ts';
import { LookedUp } from './looked-up.ts';
import { checkName } from './name.ts';
import type { ProcNode } from './node.ts';

type Make = (name: string, node: ProcNode) => ProcDirEntry;

/** What is in a directory: entries that were added, and names that are looked up. */
export class Directory {
  readonly children = new Map<string, ProcDirEntry>();
  readonly #make: Make;
  readonly #lookedUp = new Set<LookedUp>();

  /** `make` makes an entry of what was looked up. */
  constructor(make: Make) {
    this.#make = make;
  }

  /** Has more names looked up. What was added, and names from earlier on, come first. Disposing the answer ends that. */
  addNames(ops: DirOps): Disposable {
    const names = new LookedUp(ops, this.#make);
    this.#lookedUp.add(names);
    return { [Symbol.dispose]: () => this.#lookedUp.delete(names) };
  }

  /** Whether only what was added is in it. */
  get isStatic(): boolean {
    return this.#lookedUp.size === 0;
  }

  /** What stands under a name. Throws what DirOps throw. */
  lookup(name: string, caller: Caller): MaybePromise<ProcDirEntry | undefined> {
    const child = this.children.get(name);
    if (child !== undefined || this.isStatic) return child;
    return first(this.#lookedUp.values(), (names) => names.lookup(name, caller));
  }

  /** The names that are listed beside those that were added. Throws what DirOps throw, and an Error for what is no name. */
  async *names(caller: Caller): AsyncGenerator<string> {
    for (const { ops } of this.#lookedUp) {
      for await (const name of ops.iterate?.(caller) ?? []) {
        if (!this.children.has(name)) yield checked(name);
      }
    }
  }

  /** How many directories were added. */
  get directories(): number {
    let count = 0;
    for (const { kind } of this.children.values()) if (kind === 'directory') count++;
    return count;
  }
}

function checked(name: string): string {
  try {
    checkName(name);
    return name;
  } catch (error) {
    throw new RangeError(
      `"iterate" of a DirOps listed ${JSON.stringify(name)}, which is no file name: ${message(error)}.`,
    );
  }
}

/** The first answer that is there, asking one after the other. */
function first<S, T>(
  sources: Iterator<S>,
  ask: (source: S) => MaybePromise<T | undefined>,
): MaybePromise<T | undefined> {
  for (;;) {
    const { done, value } = sources.next();
    if (done) return undefined;
    const answer = ask(value);
    if (isLater(answer)) return whenThere(answer, (late) => late ?? first(sources, ask));
    if (answer !== undefined) return answer;
  }
}
