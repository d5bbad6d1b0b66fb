import type { ProcDirEntry } from '../../proc-fs/entries/entry.ts';
import type { ProcFile } from '../../proc-fs/handler.ts';
import type { ProcOps } from '../../proc-fs/proc-ops.ts';

/** The largest number that the addon takes for an open file: a signed int, and 0 means none. */
const MAX_FH = 2 ** 31 - 1;

export interface OpenFile {
  /** It may be removed from its tree meanwhile. */
  readonly entry: ProcDirEntry;
  readonly ops: ProcOps;
  readonly file: ProcFile;
}

/** Open files by the number that libfuse hands back with each of their calls. */
export class OpenFiles {
  readonly #files = new Map<number, OpenFile>();
  #last = 0;

  add(file: OpenFile): number {
    do {
      this.#last = this.#last === MAX_FH ? 1 : this.#last + 1;
    } while (this.#files.has(this.#last));
    this.#files.set(this.#last, file);
    return this.#last;
  }

  get(fh: number): OpenFile | undefined {
    return this.#files.get(fh);
  }

  /** Forgets an open file. Returns what it was. */
  take(fh: number): OpenFile | undefined {
    const file = this.#files.get(fh);
    this.#files.delete(fh);
    return file;
  }

  /** Forgets all. */
  takeAll(): OpenFile[] {
    const files = [...this.#files.values()];
    this.#files.clear();
    return files;
  }
}
