import type { ProcFile } from '../../../proc-fs/handler.ts';
import type { ProcDirEntry } from '../../../proc-fs/proc-dir-entry.ts';
import type { ProcOps } from '../../../proc-fs/proc-ops.ts';
import type { Usage } from '../../usage.ts';
import type { FileServer } from './operation.ts';

/** What operations on the whole tree need of the thread that owns it. */
export interface TreeServer extends FileServer {
  node(nodeid: number): ProcDirEntry | undefined;
  readonly lookups: Lookups;
  usage(): Usage;
  /** Answers a waiting request with EINTR. Returns whether there was such a request. */
  interrupt(unique: number): boolean;
}

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

  forget(nodeid: number, nlookup: number): void {
    const known = this.#known.get(nodeid);
    if (known === undefined) return;
    known.nlookup -= nlookup;
    if (known.nlookup <= 0) this.#known.delete(nodeid);
  }
}

/** An open file, and whose it is: a directory has no ProcOps. */
interface OpenFile {
  readonly file: ProcFile;
  readonly ops: ProcOps | undefined;
}

/** Open files by the number that the kernel hands back with each of their calls. */
export class OpenFiles {
  readonly #files = new Map<number, OpenFile>();
  #last = 0;

  add(file: ProcFile, ops: ProcOps | undefined): number {
    this.#files.set(++this.#last, { file, ops });
    return this.#last;
  }

  get(fh: number): ProcFile | undefined {
    return this.#files.get(fh)?.file;
  }

  delete(fh: number): void {
    this.#files.delete(fh);
  }

  /** Releases a file for which the kernel will not ask it. */
  release(fh: number): void {
    const open = this.#files.get(fh);
    this.#files.delete(fh);
    open?.ops?.procRelease(open.file);
  }

  releaseAll(): void {
    for (const fh of this.#files.keys()) this.release(fh);
  }
}
