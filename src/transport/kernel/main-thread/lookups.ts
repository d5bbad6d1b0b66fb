import type { ProcDirEntry } from '../../../proc-fs/entries/entry.ts';

/**
 * The entries that the kernel knows, and how often it was told of each: `nlookup` of the FUSE protocol. An entry that
 * is removed stays here, for the descriptors that are still open, until the kernel forgets it as often.
 */
export class Lookups {
  readonly #known = new Map<number, { entry: ProcDirEntry; nlookup: number }>();

  get(nodeid: number): ProcDirEntry | undefined {
    return this.#known.get(nodeid)?.entry;
  }

  add(entry: ProcDirEntry): void {
    const known = this.#known.get(entry.ino);
    if (known === undefined) this.#known.set(entry.ino, { entry, nlookup: 1 });
    else known.nlookup++;
  }

  /** Returns the entry, if the kernel has forgotten it with that. */
  forget(nodeid: number, nlookup: number): ProcDirEntry | undefined {
    const known = this.#known.get(nodeid);
    if (known === undefined) return undefined;
    known.nlookup -= nlookup;
    if (known.nlookup > 0) return undefined;
    this.#known.delete(nodeid);
    return known.entry;
  }
}
