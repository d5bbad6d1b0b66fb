import type { ProcDirEntry } from '../proc-fs/entries/entry.ts';
import { procCreate } from '../proc-fs/entries/proc-create.ts';
import { DEFAULT_MODE, DEFAULT_NAME, type IoMode } from './defaults.ts';
import type { Freed } from './give-back.ts';
import { RamBuffer } from './ram-buffer.ts';
import { RamFile } from './ram-file.ts';

export interface RamFileOptions {
  /** The file's name. Default: `rust-proc-file`. */
  readonly name?: string | undefined;
  /** Permission bits. Default: 0666. */
  readonly mode?: number | undefined;
  /** The file's owner. Default: this process's. */
  readonly uid?: number | undefined;
  /** The file's group. Default: this process's. */
  readonly gid?: number | undefined;
  /**
   * The most memory that the bytes may take, in bytes, 1 to 2^53 - 1, rounded up to whole pages of 4096; holes don't count.
   * Source: `size=`, tmpfs(5).
   */
  readonly maxSize: number;
  /** Whether reading moves the time of the last access, as with relatime. Default: true. */
  readonly atime?: boolean | undefined;
  /** Who reads and writes the bytes. Default: `direct`. */
  readonly io?: IoMode | undefined;
  /** Keeps the bytes out of swap and core dumps, and overwrites them in the end: see RamBufferOptions. Default: no. */
  readonly secret?: { readonly threads: number } | undefined;
}

/**
 * The module of the seed article, with its life: the data first, then the entry; at the end the entry first, then the
 * data, taken under the mutex. The window before initialisation that the seed calls unsound can't be written here:
 * a RamFile is only made from a buffer.
 */
export class RustProcRamFile implements Disposable {
  /** @internal */
  readonly file: RamFile;
  readonly entry: ProcDirEntry;
  readonly #hugePages: Disposable | undefined;

  private constructor(file: RamFile, entry: ProcDirEntry, hugePages: Disposable | undefined) {
    this.file = file;
    this.entry = entry;
    this.#hugePages = hugePages;
  }

  /** Adds the file to `parent`, or to `procRoot` for null. Throws as procCreate does. */
  static init(parent: ProcDirEntry | null, options: RamFileOptions): RustProcRamFile {
    const { name = DEFAULT_NAME, mode = DEFAULT_MODE, maxSize, atime, io = 'direct', secret } = options;
    const { uid = process.getuid?.() ?? 0, gid = process.getgid?.() ?? 0 } = options;
    const place = io === 'passthrough' ? 'lent' : 'memfd';
    const buffer = RamBuffer.create({ name, maxSize, atime, place, secret });
    const file = RamFile.create(buffer, mode, uid, gid, io === 'cached');
    try {
      const entry = procCreate(name, mode, parent, file.ops());
      return new RustProcRamFile(file, entry, secret === undefined ? file.useHugePages() : undefined);
    } catch (error) {
      file.teardown();
      throw error;
    }
  }

  [Symbol.dispose](): void {
    for (const _ of this.tearingDown());
  }

  /**
   * The same, in steps of some milliseconds, each of which tells how far it is: with the first the entry is gone, and the data
   * is nobody's any more. Whoever stops between two steps may go on by another call, or by disposing this. Who has the file
   * open with passthrough I/O can't be kept from it, and finds it shorter with each step.
   *
   * @example
   * for (const { bytes, total } of ram.tearingDown()) console.log(`${bytes} of ${total} bytes`);
   */
  *tearingDown(): Generator<Freed, void, undefined> {
    this.entry[Symbol.dispose]();
    this.#hugePages?.[Symbol.dispose]();
    yield* this.file.tearingDown();
  }
}
