import type { Caller } from '../caller.ts';
import type { MaybePromise } from '../handler.ts';
import { whenThere } from '../later.ts';
import type { DirOps } from './dir-ops.ts';
import type { ProcDirEntry } from './entry.ts';
import type { ProcNode } from './node.ts';

/** An entry that was looked up, and whether its node was found again since it was found first. */
interface Found {
  readonly entry: WeakRef<ProcDirEntry>;
  foundAgain: boolean;
}

/**
 * The entries that were made of what a directory's DirOps found: what the kernel's dentry cache is to /proc/PID. As long as
 * somebody knows an entry, a transport or who holds its node, the same is found again, with its inode number.
 */
export class LookedUp {
  readonly ops: DirOps;
  readonly #make: (name: string, node: ProcNode) => ProcDirEntry;
  readonly #byNode = new WeakMap<ProcNode, ProcDirEntry>();
  readonly #byName = new Map<string, Found>();
  readonly #unknown = new FinalizationRegistry((name: string) => {
    if (this.#byName.get(name)?.entry.deref() === undefined) this.#byName.delete(name);
  });

  constructor(ops: DirOps, make: (name: string, node: ProcNode) => ProcDirEntry) {
    this.ops = ops;
    this.#make = make;
  }

  lookup(name: string, caller: Caller): MaybePromise<ProcDirEntry | undefined> {
    return whenThere(this.ops.lookup(name, caller), (node) => {
      if (node !== undefined) return this.#found(name, node);
      this.#byName.delete(name);
      return undefined;
    });
  }

  #found(name: string, node: ProcNode): ProcDirEntry {
    const last = this.#byName.get(name);
    const entry = last?.entry.deref();
    if (last !== undefined && entry?.node === node) {
      last.foundAgain = true;
      return entry;
    }
    const same = this.#byNode.get(node);
    if (same?.name === name && same.node === node) return this.#keep(name, same, true);
    // Whoever made a node for each lookup has described the same file once more.
    if (last?.foundAgain === false && entry?.describe(node)) return this.#keep(name, entry, false);
    return this.#keep(name, this.#make(name, node), false);
  }

  #keep(name: string, entry: ProcDirEntry, foundAgain: boolean): ProcDirEntry {
    if (this.#byName.get(name)?.entry.deref() !== entry) this.#unknown.register(entry, name);
    this.#byName.set(name, { entry: new WeakRef(entry), foundAgain });
    if (!this.#byNode.has(entry.node)) this.#byNode.set(entry.node, entry);
    return entry;
  }
}
