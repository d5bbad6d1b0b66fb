import type { ProcDirEntry } from '../../../proc-fs/entries/entry.ts';
import type { MaybePromise, ProcFile } from '../../../proc-fs/handler.ts';
import type { Usage } from '../../usage.ts';
import type { Inodes } from './operation.ts';

/** What operations on the whole tree need of the thread that has it. */
export interface TreeInodes extends Inodes<ProcDirEntry> {
  /** The kernel was told of an entry once more. */
  known(entry: ProcDirEntry): void;
  /** The kernel forgets an inode, as far as it was told of it `nlookup` times. */
  forget(nodeid: number, nlookup: number): void;
  /** A function that wakes whoever polls an open file, for which the kernel's handle is `kh`: the same each time. */
  waker(file: ProcFile, kh: number): () => void;
  /** Whether the kernel asks for locks. */
  readonly hasLocks: boolean;
  /** What df shows. */
  usage(): MaybePromise<Usage>;
  /** Answers a waiting request with EINTR. Returns whether there was such a request. */
  interrupt(unique: number): boolean;
}
