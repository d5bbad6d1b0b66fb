import type { ProcDirEntry } from './entry.ts';

/** Who wants to know when a tree changes: a transport that has it mounted. */
export interface TreeWatcher {
  /** `entry` is about to be added. Throws an Error when the mount can't serve it, and then it isn't. */
  adding(entry: ProcDirEntry): void;
  /** `entry` was just removed from `parent`. */
  removed(parent: ProcDirEntry, entry: ProcDirEntry): void;
  /** The bytes or attributes of `entry` were changed, by the program itself; or just these bytes. */
  changed(entry: ProcDirEntry, written?: Written): void;
}

/** What the program itself has written to a file. */
export interface Written {
  /** From the file's start. */
  readonly offset: number;
  readonly data: Uint8Array;
  /** Whether the file ends with them now, and ended before that until then. */
  readonly isEnd: boolean;
}
