import { closeSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import { EFBIG, EINVAL, ENOMEM, ENOSPC, EOPNOTSUPP, Errno } from '../sys/errno.ts';
import {
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  FALLOC_FL_ZERO_RANGE,
  fallocate,
  MFD_CLOEXEC,
  memfdCreate,
  O_NOATIME,
} from '../sys/memfd.ts';
import type { Timespec } from '../sys/time.ts';
import { resizeTmpfs, tmpfsFile } from '../sys/tmpfs.ts';
import { Claims, type ClaimsState } from './claims.ts';
import { copySpace, secretCopySpace } from './copy-space.ts';
import { dataIn, nextData, nextHole } from './extents.ts';
import { cut, type Freed, giveBack, overwrite, punch } from './give-back.ts';
import { MappedPages, type MappedPagesState } from './mapped-pages.ts';
import { memoryRoom } from './memory-room.ts';
import { PageLimit, type PageLimitState, pagesFor, SPARE } from './page-limit.ts';
import { COPY_SIZE, PAGE_SIZE, WINDOW_SIZE } from './sizes.ts';
import { Times, type TimesState } from './times.ts';

/** How much of a name memfd_create(2) surely takes, in units of UTF-16: at most 3 bytes each, and 249 bytes are its limit. */
const MEMFD_NAME_MAX = 83;

/**
 * Where the bytes lie.
 *
 * - `memfd`: in an unnamed tmpfs file that only this process reads and writes. It has no limit of its own: see PageLimit.
 * - `lent`: in a file on a private tmpfs, for the kernel to be lent, which then reads and writes by itself: only it knows
 *   which pages are there, and keeps the limit. Needs CAP_SYS_ADMIN.
 */
export type Place = 'memfd' | 'lent';

export interface RamBufferOptions {
  /** What /proc/PID/fd shows of a memfd, as far as memfd_create(2) lets it: 249 bytes. */
  readonly name: string;
  /** The most memory it may take, in bytes, rounded up to whole pages; holes cost nothing, as for tmpfs's `size=`. */
  readonly maxSize: number;
  /** Default: `memfd`. */
  readonly place?: Place | undefined;
  /** Whether reading moves atime, as with relatime. Default: true. */
  readonly atime?: boolean | undefined;
  /**
   * The bytes are kept out of swap, core dumps and child processes, and are overwritten before their memory is given back.
   * The memory counts against RLIMIT_MEMLOCK: see lockedBeside. `threads`: how many will use scratch memory. The file
   * can't be longer than `maxSize` then, holes included, unless it is lent. Default: no.
   */
  readonly secret?: { readonly threads: number } | undefined;
}

/** What another thread needs to work on the same buffer. */
export type RamBufferState = {
  readonly fd: number;
  /** The same file, opened so that reading leaves atime alone. */
  readonly noatime: number;
  /** One number: how long the file is, while nobody but this class changes that. */
  readonly size: SharedArrayBuffer;
  readonly limit: PageLimitState;
  readonly times: TimesState;
  readonly claims: ClaimsState;
  /** Where a secret's bytes may pass through, as an address; undefined when they are none. */
  readonly secretCopies: number | undefined;
} & (
  | { readonly place: 'memfd'; readonly mapped: MappedPagesState }
  /** `tmpfs`: the file system that the file lies on. */
  | { readonly place: 'lent'; readonly tmpfs: number }
);

/**
 * The bytes of a file, in an unnamed tmpfs file, so the kernel keeps its size, its holes, st_blocks and its times, and they
 * are tmpfs's own. What this class adds for a memfd is the limit, and a short cut: what lies in pages that are there
 * already is copied in a mapping; all else is pread(2) and pwrite(2), which know what a hole is and answer with an error
 * when there is no memory.
 *
 * Every method must be called under the mutex that all threads share.
 */
export class RamBuffer {
  readonly state: RamBufferState;
  readonly #fd: number;
  readonly #noatime: number;
  readonly #size: Float64Array;
  readonly #limit: PageLimit;
  readonly #times: Times;
  readonly #claims: Claims;
  /** Of a memfd. */
  readonly #mapped: MappedPages | undefined;
  readonly #secret: boolean;

  constructor(state: RamBufferState) {
    this.state = state;
    this.#fd = state.fd;
    this.#noatime = state.noatime;
    this.#size = new Float64Array(state.size);
    this.#limit = new PageLimit(state.fd, state.limit);
    this.#times = new Times(state.fd, state.times);
    this.#claims = new Claims(state.claims);
    this.#mapped = state.place === 'memfd' ? new MappedPages(state.mapped) : undefined;
    this.#secret = state.secretCopies !== undefined;
  }

  /** An empty buffer. Throws an Errno when there is no memory, or no right to what the options ask for. */
  static create({ name, maxSize, place = 'memfd', atime = true, secret }: RamBufferOptions): RamBuffer {
    const limit = PageLimit.allocate(maxSize);
    const { fd, tmpfs } =
      place === 'lent'
        ? tmpfsFile(maxSize, secret !== undefined)
        : { fd: memfdCreate(name.slice(0, MEMFD_NAME_MAX), MFD_CLOEXEC) };
    const state = {
      fd,
      noatime: openSync(`/proc/self/fd/${fd}`, O_NOATIME),
      size: new SharedArrayBuffer(Float64Array.BYTES_PER_ELEMENT),
      limit,
      times: Times.allocate(atime),
      claims: Claims.allocate(),
      secretCopies: secret && secretCopySpace(),
    };
    if (tmpfs !== undefined) return new RamBuffer({ ...state, place: 'lent', tmpfs });
    const mapped = MappedPages.create(fd, secret === undefined ? maxSize : WINDOW_SIZE);
    if (secret !== undefined) mapped.protect(secret.threads, pagesFor(maxSize) * PAGE_SIZE);
    return new RamBuffer({ ...state, place: 'memfd', mapped: mapped.state });
  }

  /** Scratch memory of a thread, from and to which copying costs least: see MappedPages. */
  scratch(thread: number): Uint8Array | undefined {
    return this.#mapped?.scratch(thread);
  }

  /**
   * Copies what there is of `length` bytes at `offset` to `bytes`, from `start`. Returns how many. `noatime`: without
   * moving atime.
   */
  read(bytes: Uint8Array, start: number, length: number, offset: number, noatime = false): number {
    if (length === 0) return 0;
    const moves = !noatime && this.#times.readMoves();
    if (this.#mapped !== undefined) {
      const { size } = this;
      // Not Math.min: it makes a float of `length`, here and for all who count with it.
      const there = offset + length <= size ? length : size - offset;
      if (there > 0 && this.#mapped.has(offset, there)) {
        // One byte moves it as well, and the others needn't go by the slower way.
        if (moves) this.#pread(this.#fd, bytes, start, 1, offset);
        this.#mapped.copyOut(offset, bytes, start, there);
        return there;
      }
    }
    return this.#pread(moves ? this.#fd : this.#noatime, bytes, start, length, offset);
  }

  /** Copies `length` bytes of `bytes`, from `start`, to `offset`. Returns how many found room, or throws ENOSPC. */
  write(bytes: Uint8Array, start: number, length: number, offset: number): number {
    if (length === 0) return 0;
    if (this.#mapped !== undefined && offset + length <= this.size && this.#mapped.has(offset, length)) {
      this.#mapped.copyIn(offset, bytes, start, length);
      this.#times.written();
      return length;
    }
    this.#times.changing();
    const end = Math.min(offset + length, this.#maxLength);
    if (end <= offset) throw new Errno(EFBIG);
    if (this.#reserve(offset, end - offset)) return this.#put(bytes, start, end - offset, offset);
    const written = this.#writeNearLimit(bytes, start, end - offset, offset);
    if (written === 0) throw new Errno(ENOSPC);
    return written;
  }

  /**
   * Copies within the file, at most COPY_SIZE at once. Returns how many bytes: fewer where the file ends, or where there is
   * no room.
   */
  copy(from: number, to: number, length: number): number {
    const bytes = this.copySpace(Math.min(length, COPY_SIZE));
    const count = this.read(bytes, 0, bytes.length, from);
    try {
      return this.write(bytes, 0, count, to);
    } finally {
      if (this.#secret) bytes.fill(0, 0, count);
    }
  }

  /** Memory for up to COPY_SIZE bytes on their way from or to the file; whoever uses a secret's overwrites it. */
  copySpace(length = COPY_SIZE): Uint8Array {
    return copySpace(this.state.secretCopies, length);
  }

  truncate(size: number): void {
    if (size > this.#maxLength) throw new Errno(EFBIG);
    this.#times.changing();
    this.#forget(size, this.size);
    this.#mapped?.drop(Math.min(size, this.size), this.size);
    this.#claims.shrinking(size, Number.POSITIVE_INFINITY);
    try {
      cut(this.#fd, size);
    } catch (error) {
      throw Errno.from(error);
    }
    this.#size[0] = size;
  }

  /** fallocate(2) with the modes that FUSE lets through; tmpfs itself has no ZERO_RANGE. */
  fallocate(mode: number, offset: number, length: number): void {
    if (length === 0) throw new Errno(EINVAL);
    if (offset + length > this.#maxLength && !(mode & FALLOC_FL_PUNCH_HOLE)) throw new Errno(EFBIG);
    this.#times.changing();
    const keepSize = mode & FALLOC_FL_KEEP_SIZE;
    switch (mode) {
      case 0:
      case FALLOC_FL_KEEP_SIZE:
        this.#allocate(keepSize, offset, length);
        break;
      case FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE:
        this.#punch(offset, length);
        break;
      case FALLOC_FL_ZERO_RANGE:
      case FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE:
        // Allocated first, so that a range that doesn't fit is refused with its data still there.
        this.#allocate(keepSize, offset, length);
        this.#punch(offset, length);
        this.#allocate(keepSize, offset, length);
        break;
      default:
        throw new Errno(EOPNOTSUPP);
    }
  }

  get size(): number {
    return this.#mapped === undefined ? fstatSync(this.#fd).size : (this.#size[0] ?? 0);
  }

  /** The first data at or after `offset`. Throws ENXIO when there is none. */
  nextData(offset: number): number {
    return nextData(this.#fd, offset);
  }

  /** The first hole at or after `offset`; the end counts as one. Throws ENXIO from the end on. */
  nextHole(offset: number): number {
    return nextHole(this.#fd, offset);
  }

  /** Sizes in bytes, blocks of 512, and the times. */
  stat() {
    const stat = fstatSync(this.#fd, { bigint: true });
    const { size, blocks } = stat;
    return {
      size: Number(size),
      blocks: Number(blocks),
      blksize: PAGE_SIZE,
      ...this.#times.of(stat),
    };
  }

  /** Sets one time or both, and ctime to the present. */
  setTimes(atime: Timespec | undefined, mtime: Timespec | undefined): void {
    this.#times.set(atime, mtime);
  }

  /** Sets ctime to the present: the inode changed in what the file below doesn't keep. */
  touch(): void {
    this.#times.touch();
  }

  /** Pages in use and allowed: what statfs(2) tells. */
  get pages(): { used: number; max: number; size: number } {
    return { used: this.#limit.used, max: this.#limit.max, size: PAGE_SIZE };
  }

  /**
   * Changes the most memory that it may take, in bytes. Throws EINVAL when it takes more, and for a secret what lock throws when
   * so much can't be locked.
   */
  set maxSize(bytes: number) {
    const pages = pagesFor(bytes);
    if (pages < this.#limit.used) throw new Errno(EINVAL);
    if (this.state.place === 'lent') resizeTmpfs(this.state.tmpfs, pages * PAGE_SIZE, this.#secret);
    // What it has locked stays so: data may lie there.
    else if (this.#secret && pages > this.#limit.max) this.#mapped?.lock(pages * PAGE_SIZE);
    this.#limit.max = pages;
  }

  /** Whether reading moves atime from now on, as with relatime. */
  set readsMoveAtime(moves: boolean) {
    this.#times.readsMove = moves;
  }

  /** The file, for who only reads it, and leaves its times. */
  get readable(): number {
    return this.#noatime;
  }

  /** A copy of the file as it is now, as a memfd. ENOSPC when there is no memory for it beside what the machine needs. */
  copyAll(): number {
    if (this.#limit.used * PAGE_SIZE > memoryRoom() - SPARE) throw new Errno(ENOSPC);
    const copy = memfdCreate('copy', MFD_CLOEXEC);
    try {
      const bytes = this.copySpace();
      for (const { start, end } of dataIn(this.#noatime, 0, this.size)) {
        for (let at = start; at < end; ) {
          const count = readSync(this.#noatime, bytes, 0, Math.min(bytes.length, end - at), at);
          at += writeSync(copy, bytes, 0, count, at);
        }
      }
      ftruncateSync(copy, this.size);
      return copy;
    } catch (error) {
      closeSync(copy);
      throw outOfMemory(error);
    }
  }

  /** Makes the numbers beside the file those of the file again: a thread ended in the middle of changing them. */
  recover(): void {
    const { size } = fstatSync(this.#fd);
    this.#mapped?.drop(0, Math.max(size, this.size));
    this.#size[0] = size;
    this.#limit.recount();
  }

  /** Gives the memory back to the system now, whoever still has the descriptors. */
  free(): void {
    for (const _ of this.freeing());
  }

  /** The same, in steps of some milliseconds. Nobody else may use the buffer any more, so no mutex is needed. */
  *freeing(): Generator<Freed, void, undefined> {
    yield* giveBack(this.#fd, (start, end) => this.#forget(start, end));
    this.#mapped?.release();
    closeSync(this.#noatime);
    closeSync(this.#fd);
    if (this.state.place === 'lent') closeSync(this.state.tmpfs);
  }

  /** How long the file can be. Of a secret, only that much is locked. */
  get #maxLength(): number {
    return this.#secret && this.#mapped ? this.#limit.max * PAGE_SIZE : Number.POSITIVE_INFINITY;
  }

  #pread(fd: number, bytes: Uint8Array, start: number, length: number, offset: number): number {
    try {
      return readSync(fd, bytes, start, length, offset);
    } catch (error) {
      throw Errno.from(error);
    }
  }

  #put(bytes: Uint8Array, start: number, length: number, offset: number): number {
    try {
      if (this.#secret && this.#mapped !== undefined) {
        // Pages are locked as they are touched in the mapping, so they get their memory first and only then their bytes.
        fallocate(this.#fd, 0, offset, length);
        this.#grow(offset + length);
        this.#mapped.add(offset, length);
        this.#mapped.copyIn(offset, bytes, start, length);
        this.#times.written();
        return length;
      }
      const count = writeSync(this.#fd, bytes, start, length, offset);
      this.#grow(offset + count);
      this.#mapped?.add(offset, count);
      return count;
    } catch (error) {
      throw outOfMemory(error);
    }
  }

  /** Writes up to the first page that is missing and has no room. Returns how many bytes that was. */
  #writeNearLimit(bytes: Uint8Array, start: number, length: number, offset: number): number {
    let done = 0;
    while (done < length) {
      const room = this.#limit.roomFrom(offset + done);
      if (room === 0) break;
      done += this.#put(bytes, start + done, Math.min(room, length - done), offset + done);
    }
    this.#limit.recount();
    return done;
  }

  #allocate(keepSize: number, offset: number, length: number): void {
    try {
      if (this.#reserve(offset, length)) fallocate(this.#fd, keepSize, offset, length);
      else this.#limit.allocate(keepSize, offset, length);
      if (keepSize === 0) this.#grow(offset + length);
    } catch (error) {
      throw outOfMemory(error);
    }
  }

  /** Whether there surely is room for a range: see PageLimit. */
  #reserve(offset: number, length: number): boolean {
    return this.state.place === 'lent' || this.#limit.reserve(offset, length);
  }

  /** Notes that the file is `size` bytes long, or longer. */
  #grow(size: number): void {
    if (size > this.size) this.#size[0] = size;
  }

  /** Overwrites a secret's bytes from `start` to `end`, before their pages are given back. */
  #forget(start: number, end: number): void {
    if (!this.#secret || start >= end) return;
    // Twice as fast as pwrite(2), and needs nobody to look how far the data goes.
    if (this.#mapped?.has(start, end - start)) this.#mapped.zero(start, end - start);
    else overwrite(this.#fd, start, end);
  }

  #punch(offset: number, length: number): void {
    this.#forget(offset, Math.min(offset + length, this.size));
    this.#mapped?.drop(offset, offset + length);
    this.#claims.shrinking(offset, offset + length);
    punch(this.#fd, offset, offset + length);
  }
}

/** To a client, memory that can't be had is a device that is full. */
function outOfMemory(error: unknown): unknown {
  const errno = Errno.from(error);
  return errno instanceof Errno && errno.errno === ENOMEM ? new Errno(ENOSPC, errno.message) : errno;
}
