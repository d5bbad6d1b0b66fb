import type { Attr, AttrChange, ProcFile, ProcHandler } from '../proc-fs/handler.ts';
import type { Placement } from '../proc-fs/placement.ts';
import { ProcOps } from '../proc-fs/proc-ops.ts';
import type { UserSliceReader, UserSliceWriter } from '../proc-fs/user-slice.ts';
import { Whence } from '../proc-fs/whence.ts';
import { Mutex } from '../sync/mutex.ts';
import { EBUSY, EINVAL, Errno } from '../sys/errno.ts';
import { O_NOATIME } from '../sys/memfd.ts';
import { ownModule } from '../sys/own-module.ts';
import type { Freed } from './give-back.ts';
import { HugePages } from './huge-pages.ts';
import { mostPages } from './page-limit.ts';
import { RamBuffer, type RamBufferState } from './ram-buffer.ts';
import { PAGE_SIZE } from './sizes.ts';

/** Bits of a mode. Source: inode(7). */
const S_ISUID = 0o4000;
const S_ISGID = 0o2000;
const S_IXGRP = 0o010;

/** Indexes of the owner's numbers. */
const MODE = 0;
const UID = 1;
const GID = 2;
const OWNER_NUMBERS = 3;

/** What another thread needs to make the same RamFile: see SharedHandler. */
export interface RamFileState {
  readonly mutex: SharedArrayBuffer;
  readonly buffer: RamBufferState;
  readonly owner: SharedArrayBuffer;
  /** Whether the kernel's page cache may answer reads. */
  readonly cached: boolean;
}

/** Makes the file in another thread: see SharedHandler. */
export function attach(state: RamFileState): ProcOps {
  return new RamFile(state).ops();
}

/**
 * The handler of a file that works like a regular one and is backed by RAM alone. Each method locks the mutex once, and
 * answers EBUSY when the data was taken: the file is being torn down.
 */
export class RamFile implements ProcHandler {
  readonly #state: RamFileState;
  readonly #data: Mutex<RamBuffer>;
  /** Mode and owner are kept here, since the memfd's own would bind this process instead of the clients. */
  readonly #owner: Uint32Array;
  /** The data's end, once it was taken. */
  #ending: Generator<Freed, void, undefined> | undefined;

  constructor(state: RamFileState) {
    this.#state = state;
    this.#data = new Mutex(state.mutex, new RamBuffer(state.buffer), (buffer) => buffer.recover());
    this.#owner = new Uint32Array(state.owner);
  }

  /** A file that holds `buffer`. `mode` is permission bits. */
  static create(buffer: RamBuffer, mode: number, uid: number, gid: number, cached = false): RamFile {
    const owner = new SharedArrayBuffer(OWNER_NUMBERS * Uint32Array.BYTES_PER_ELEMENT);
    new Uint32Array(owner).set([mode, uid, gid]);
    return new RamFile({ mutex: Mutex.allocate(), buffer: buffer.state, owner, cached });
  }

  /** The file with where it runs: in any thread, and its pages may be mapped, which the kernel keeps coherent with reads and writes. */
  ops(): ProcOps {
    const state = this.#state;
    const placement: Placement = {
      shared: { module: ownModule('ram-file/ram-file'), state },
      cached: state.cached,
      mmap: true,
      parallelWrites: true,
      secret: state.buffer.secretCopies !== undefined,
      backing: state.buffer.place === 'lent' ? state.buffer.fd : undefined,
      scratch: (thread) => this.#locked((buffer) => buffer.scratch(thread)),
    };
    return new ProcOps(this, placement);
  }

  /** Whether the kernel's page cache may answer reads. */
  get isCached(): boolean {
    return this.#state.cached;
  }

  open(): void {
    this.#locked(() => {});
  }

  read(file: ProcFile | null, to: UserSliceWriter, offset: number): number {
    const buffer = this.#data.lock();
    try {
      if (buffer === null) throw new Errno(EBUSY);
      const noatime = file !== null && (file.flags & O_NOATIME) !== 0;
      const count = buffer.read(to.bytes, to.start, to.length, offset, noatime);
      to.advance(count);
      return count;
    } finally {
      this.#data.unlock();
    }
  }

  write(_file: ProcFile | null, from: UserSliceReader, offset: number): number {
    const buffer = this.#data.lock();
    try {
      if (buffer === null) throw new Errno(EBUSY);
      const count = buffer.write(from.bytes, from.start, from.length, offset);
      from.advance(count);
      return count;
    } finally {
      this.#data.unlock();
    }
  }

  lseek(file: ProcFile, offset: number, whence: Whence): number {
    return this.#locked((buffer) => {
      switch (whence) {
        case Whence.SeekSet:
          return position(offset);
        case Whence.SeekCur:
          return position(file.pos + offset);
        case Whence.SeekEnd:
          return position(buffer.size + offset);
        case Whence.SeekData:
          return buffer.nextData(offset);
        case Whence.SeekHole:
          return buffer.nextHole(offset);
      }
    });
  }

  truncate(size: number): void {
    this.#locked((buffer) => buffer.truncate(size));
  }

  fallocate(_file: ProcFile | null, mode: number, offset: number, length: number): void {
    this.#locked((buffer) => buffer.fallocate(mode, offset, length));
  }

  /** There is nothing below RAM to write it to. */
  fsync(): void {
    this.#locked(() => {});
  }

  /** Copies so much that everybody else doesn't wait long for the mutex; callers go on from there. */
  copyFileRange(from: number, to: number, length: number): number {
    return this.#locked((buffer) => buffer.copy(from, to, length));
  }

  /** Memory for bytes on their way into a file that nobody sees yet: see RamBuffer. */
  copySpace(): Uint8Array {
    return this.#locked((buffer) => buffer.copySpace());
  }

  getattr(): Attr {
    return this.#locked((buffer) => {
      const [mode = 0, uid = 0, gid = 0] = this.#owner;
      return { mode, uid, gid, ...buffer.stat() };
    });
  }

  setattr(change: AttrChange): void {
    this.#locked((buffer) => {
      const { mode, uid, gid, atime, mtime } = change;
      if (mode !== undefined) this.#owner[MODE] = mode;
      if (uid !== undefined) this.#owner[UID] = uid;
      if (gid !== undefined) this.#owner[GID] = gid;
      if (atime !== undefined || mtime !== undefined) buffer.setTimes(atime, mtime);
      else buffer.touch();
    });
  }

  killPriv(): void {
    const mode = this.#owner[MODE] ?? 0;
    const kept = mode & ~(mode & S_IXGRP ? S_ISUID | S_ISGID : S_ISUID);
    if (kept !== mode) this.setattr({ mode: kept });
  }

  /** Its bytes, for who only reads them: a descriptor, and what changes when somebody changes them. */
  get readable(): { readonly fd: number; readonly stamp: string } {
    return this.#locked((buffer) => {
      const { size, mtime, ctime } = buffer.stat();
      return { fd: buffer.readable, stamp: JSON.stringify([size, mtime, ctime]) };
    });
  }

  /** A copy of it as it is at one moment, as a descriptor. ENOSPC when there is no memory for it. */
  copyAll(): number {
    return this.#locked((buffer) => buffer.copyAll());
  }

  /** Permission bits, also when the data was taken. */
  get mode(): number {
    return this.#owner[MODE] ?? 0;
  }

  /** Whether its bytes are kept out of swap and core dumps, and overwritten in the end. */
  get isSecret(): boolean {
    return this.#state.buffer.secretCopies !== undefined;
  }

  /** Whether the kernel was lent the memory. */
  get isLent(): boolean {
    return this.#state.buffer.place === 'lent';
  }

  /** The most memory that it may take, in bytes; also when the data was taken. */
  get maxSize(): number {
    return mostPages(this.#state.buffer.limit) * PAGE_SIZE;
  }

  /** Throws EINVAL when it takes more; see RamBuffer. */
  set maxSize(bytes: number) {
    this.#locked((buffer) => {
      buffer.maxSize = bytes;
    });
  }

  /** Whether reading moves atime from now on, as with relatime. */
  set readsMoveAtime(moves: boolean) {
    this.#locked((buffer) => {
      buffer.readsMoveAtime = moves;
    });
  }

  /** Memory in use and allowed, in pages of `size` bytes. */
  get pages(): { used: number; max: number; size: number } {
    return this.#locked((buffer) => buffer.pages);
  }

  /**
   * Takes the data, and gives its memory back; a secret's is overwritten before. Whoever is inside a method finishes first;
   * whoever comes later gets EBUSY.
   */
  teardown(): void {
    for (const _ of this.tearingDown());
  }

  /**
   * The same, in steps, the first of which takes the data. Another call does what is left to do, whatever ended this one, as
   * the end of the process does. To be called in one thread only. `last` has the data before its memory is given back.
   */
  *tearingDown(last?: LastUse): Generator<Freed, void, undefined> {
    this.#ending ??= ending(this.#data.take(), last);
    // Not yield*, which would end the other one with this.
    for (let step = this.#ending?.next(); step?.done === false; step = this.#ending?.next()) yield step.value;
  }

  /** Has the file's full ranges be huge pages, until that is disposed of, which must be before the teardown. */
  useHugePages(): Disposable {
    return new HugePages(this.#state.buffer, (use) => this.#locked(use));
  }

  /** Calls `use` under the mutex. Not for read and write, which allocate no closure. */
  #locked<T>(use: (buffer: RamBuffer) => T): T {
    const buffer = this.#data.lock();
    try {
      if (buffer === null) throw new Errno(EBUSY);
      return use(buffer);
    } finally {
      this.#data.unlock();
    }
  }
}

/** What is done with all that a file held, once nobody else can change it: in steps. To be given a descriptor that is only read. */
export type LastUse = (fd: number) => Generator<Freed, void, undefined>;

function* ending(buffer: RamBuffer | null, last: LastUse | undefined): Generator<Freed, void, undefined> {
  if (buffer === null) return;
  if (last !== undefined) yield* last(buffer.readable);
  yield* buffer.freeing();
}

/** A file position. Throws EINVAL when it lies before the start or past 2^53 - 1. */
function position(offset: number): number {
  if (offset < 0 || !Number.isSafeInteger(offset)) throw new Errno(EINVAL);
  return offset;
}
