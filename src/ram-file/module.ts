import type { ProcDirEntry } from '../proc-fs/entries/entry.ts';
import { procCreate } from '../proc-fs/entries/proc-create.ts';
import type { AttrChange } from '../proc-fs/handler.ts';
import { rangeError } from '../proc-fs/proc-ops.ts';
import { UserSliceReader, UserSliceWriter } from '../proc-fs/user-slice.ts';
import { Errno } from '../sys/errno.ts';
import { DEFAULT_MODE, DEFAULT_NAME, type IoMode } from './defaults.ts';
import type { Freed } from './give-back.ts';
import { RamBuffer } from './ram-buffer.ts';
import { type LastUse, RamFile } from './ram-file.ts';

/** How often to write bytes that aren't there afterwards: then it is clients who write others. */
const TIMES = 100;

/**
 * A RAM file: its name, its size, and how it is served.
 *
 * @example
 * ```ts
 * RustProcRamFile.init(null, { name: 'notes', mode: 0o600, maxSize: 512 << 20 });
 * ```
 */
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
  /** Keeps the bytes out of swap, core dumps and child processes, and overwrites them in the end. Default: no. */
  readonly secret?:
    | {
        /** How many threads serve the mount, each of which needs locked memory. */
        readonly threads: number;
      }
    | undefined;
}

/** What of a file can be changed while clients use it. @internal */
export interface FileChange extends Pick<AttrChange, 'mode' | 'uid' | 'gid'> {
  /** In bytes. */
  maxSize?: number;
  /** Whether reading moves atime, as with relatime. */
  readsMoveAtime?: boolean;
}

/**
 * A file that works like a regular one and is backed by RAM alone, with the life of the kernel module's: the data first, then the
 * entry; at the end the entry first, then the data, taken under the mutex. The module's unsound window before initialisation can't be written here:
 * a RamFile is only made from a buffer.
 *
 * @example
 * ```ts
 * using ram = RustProcRamFile.init(null, { maxSize: 1 << 30 });
 * await using mounted = await mount(procRoot, '/tmp/ram'); // echo hello >/tmp/ram/rust-proc-file
 * await mounted.closed;
 * ```
 */
export class RustProcRamFile implements Disposable {
  /** @internal */
  readonly file: RamFile;
  /** Where it stands. */
  readonly entry: ProcDirEntry;
  readonly #hugePages: Disposable | undefined;
  /** Has what the file held before its memory is given back. @internal */
  last: LastUse | undefined;

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

  /** The most memory that its bytes may take, in bytes: whole pages. @internal */
  get maxSize(): number {
    return this.file.maxSize;
  }

  /** How long the file is, in bytes. Throws EBUSY once it is torn down. */
  get size(): number {
    return this.file.getattr().size;
  }

  /**
   * What the file holds, as clients see it. Source: pread(2).
   *
   * @param offset Bytes from the start, 0 to 2^53 - 1.
   * @param length Bytes. The answer has fewer where the file ends, and none past its end.
   *
   * Throws an Errno: EINVAL for what is below 0 or not whole, EFBIG past 2^53 - 1, EBUSY once it is torn down.
   *
   * @example
   * ```ts
   * using ram = RustProcRamFile.init(null, { maxSize: 1 << 20 });
   * ram.writeAt(0, 'hello\n');
   * Buffer.from(ram.readAt(0, ram.size)).toString(); // 'hello\n'
   * ```
   */
  readAt(offset: number, length: number): Uint8Array {
    checkRange(offset, length);
    const there = Math.min(length, Math.max(0, this.size - offset));
    const to = new UserSliceWriter().place(new Uint8Array(there), 0, there);
    return to.bytes.subarray(0, this.file.read(null, to, offset));
  }

  /**
   * Writes to the file, which grows as far as it has to. When it returns, clients see it, in their mappings too. Source: pwrite(2).
   *
   * @param offset Bytes from the start, 0 to 2^53 - 1.
   * @param data Bytes, or text in UTF-8.
   *
   * Returns how many bytes found room. Throws an Errno: ENOSPC when there is none, EINVAL for an offset below 0 or not whole, EFBIG past
   * 2^53 - 1, EBUSY once it is torn down.
   *
   * @example
   * ```ts
   * ram.writeAt(ram.size, `${new Date().toISOString()} started\n`);
   * ```
   */
  writeAt(offset: number, data: string | Uint8Array): number {
    const bytes = typeof data === 'string' ? Buffer.from(data) : data;
    checkRange(offset, bytes.length);
    const from = new UserSliceReader();
    for (let times = 1; ; times++) {
      const { size } = this;
      const count = this.file.write(null, from.place(bytes, 0, bytes.length), offset);
      const data = bytes.subarray(0, count);
      if (count > 0) this.entry.written({ offset, data, isEnd: offset + count > size });
      // Before the kernel was told, it may have written back a page with what was there, and with what a client has stored beside it.
      const isThere = !this.file.isCached || Buffer.compare(this.readAt(offset, count), data) === 0;
      if (isThere || times === TIMES) return count;
    }
  }

  /**
   * Makes the file `size` bytes long: cuts it off, or adds a hole, which reads as zeros. When it returns, clients see it. Source:
   * ftruncate(2).
   *
   * @param size 0 to 2^53 - 1. Throws as writeAt does.
   *
   * @example
   * ```ts
   * ram.truncate(0);
   * ```
   */
  truncate(size: number): void {
    checkRange(size, 0);
    const before = this.size;
    this.file.truncate(size);
    if (size > before) this.entry.written({ offset: size - 1, data: new Uint8Array(1), isEnd: true });
    else this.entry.changed();
  }

  /** Throws EINVAL when it takes more memory than it is to have, and as RamBuffer does. @internal */
  change({ maxSize, readsMoveAtime, ...attributes }: FileChange): void {
    if (maxSize !== undefined) this.file.maxSize = maxSize;
    if (readsMoveAtime !== undefined) this.file.readsMoveAtime = readsMoveAtime;
    if (Object.keys(attributes).length === 0) return;
    this.file.setattr(attributes);
    this.entry.changed();
  }

  /** Removes the file, and gives all of its memory back. Who still has it open gets EBUSY. */
  [Symbol.dispose](): void {
    for (const _ of this.tearingDown());
  }

  /**
   * The same, in steps of some milliseconds, each of which tells how far it is: with the first the entry is gone, and the data
   * is nobody's any more. Whoever stops between two steps may go on by another call, or by disposing this. Who has the file
   * open with passthrough I/O can't be kept from it, and finds it shorter with each step.
   *
   * @example
   * ```ts
   * for (const { bytes, total } of ram.tearingDown()) console.log(`${bytes} of ${total} bytes`);
   * ```
   */
  *tearingDown(): Generator<Freed, void, undefined> {
    // What clients have stored in mappings comes, while there is somebody to take it.
    if (this.last !== undefined && !this.entry.isRemoved) this.entry.changed();
    this.entry[Symbol.dispose]();
    this.#hugePages?.[Symbol.dispose]();
    yield* this.file.tearingDown(this.last);
  }
}

function checkRange(offset: number, length: number): void {
  const wrong = rangeError(offset, length);
  if (wrong !== 0) throw new Errno(-wrong);
}
