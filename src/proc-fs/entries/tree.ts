import type { TreeWatcher } from './watcher.ts';

/** The root's inode number, in every tree. */
export const ROOT_INO = 1;

/** What all entries of a tree have in common. */
export class Tree {
  readonly watchers = new Set<TreeWatcher>();
  #lastIno = ROOT_INO;

  /**
   * A number for a new inode. Each is given once, so that a removed entry's is never another's; and the same program's tree has
   * the same ones each time, so that what was recorded of one can be replayed.
   */
  nextIno(): number {
    return ++this.#lastIno;
  }
}
