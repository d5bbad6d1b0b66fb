import type { Caller } from '../../../proc-fs/caller.ts';
import type { ProcFile } from '../../../proc-fs/handler.ts';
import type { ProcOps } from '../../../proc-fs/proc-ops.ts';
import { released } from '../../../proc-fs/released.ts';

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

  opsOf(fh: number): ProcOps | undefined {
    return this.#files.get(fh)?.ops;
  }

  delete(fh: number): void {
    this.#files.delete(fh);
  }

  /** Releases a file for which the kernel will not ask it. */
  release(fh: number, caller: Caller): void {
    const open = this.#files.get(fh);
    this.#files.delete(fh);
    if (open === undefined) return;
    if (open.ops === undefined) released(open.file);
    else open.ops.procRelease(open.file, caller);
  }

  releaseAll(caller: Caller): void {
    for (const fh of this.#files.keys()) this.release(fh, caller);
  }
}
