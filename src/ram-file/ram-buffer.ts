import { closeSync, fchownSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import { EFBIG, EINVAL, ENOMEM, ENOSPC, ENXIO, EOPNOTSUPP, Errno } from '../sys/errno.ts';
import {
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  FALLOC_FL_ZERO_RANGE,
  fallocate,
  futimens,
  lseek,
  MFD_CLOEXEC,
  memfdCreate,
  O_NOATIME,
  SEEK_DATA,
  SEEK_HOLE,
} from '../sys/memfd.ts';
import { type Timespec, UTIME_NOW, UTIME_OMIT } from '../sys/time.ts';
import { tmpfsFile } from '../sys/tmpfs.ts';
import { copySpace, secretCopySpace } from './copy-space.ts';
import { MappedPages, type MappedPagesState } from './mapped-pages.ts';
import { memoryRoom } from './memory-room.ts';
import { COPY_SIZE } from './sizes.ts';

const PAGE_SIZE = 4096;
const OMIT: Timespec = { sec: 0, nsec: UTIME_OMIT };
const NOW: Timespec = { sec: 0, nsec: UTIME_NOW };
/** How much of a name memfd_create(2) surely takes, in units of UTF-16: at most 3 bytes each, and 249 bytes are its limit. */
const MEMFD_NAME_MAX = 83;
/** What is left to this process itself when memory runs out, for what serving needs now and then, in bytes. */
const SPARE = 32 << 20;
/** The part of the memory that is left which is taken without looking again. */
const AHEAD = 1 / 8;
/** st_blocks counts in units of 512 bytes. */
const BLOCKS_PER_PAGE = PAGE_SIZE / 512;

/** How much of the memory is given back at once, in bytes: some hundredths of a second. */
const FREE_SIZE = 128 << 20;

/** Indexes of the numbers that all threads share. */
const PAGES = 0;
const ATIME_IS_OLD = 1;
const SIZE = 2;
const MTIME_IS_SET = 3;
const WRITTEN_MS = 4;
const ATIME_IS_SET = 5;
const SURE_PAGES = 6;
const SHARED_NUMBERS = 7;

export interface RamBufferOptions {
  /** What /proc/PID/fd shows of it, as far as memfd_create(2) lets it: 249 bytes. */
  readonly name: string;
  /** The most memory it may take, in bytes, rounded down to whole pages; holes cost nothing, as for tmpfs's `size=`. */
  readonly maxSize: number;
  /**
   * The kernel will be lent the descriptor and write by itself, so the limit must be its own: a file on a private tmpfs,
   * which needs CAP_SYS_ADMIN. Default: a memfd, whose limit this class keeps.
   */
  readonly lent?: boolean | undefined;
  /** Whether reading moves atime, as with relatime. Default: true. */
  readonly atime?: boolean | undefined;
  /**
   * The bytes are kept out of swap, core dumps and child processes, and are overwritten before their memory is given back.
   * The memory counts against RLIMIT_MEMLOCK: see lockedBeside. `threads`: how many will use scratch memory. The file
   * can't be longer than `maxSize` then, holes included, unless it is lent. Default: no.
   */
  readonly secret?: { readonly threads: number } | undefined;
}

/** How much of the memory is given back so far, in bytes. */
export interface Freed {
  readonly bytes: number;
  readonly total: number;
}

/** What another thread needs to work on the same buffer. */
export interface RamBufferState {
  readonly memfd: number;
  readonly noatime: number;
  readonly maxPages: number;
  readonly numbers: SharedArrayBuffer;
  /** Undefined when the kernel reads and writes the memfd by itself, and only it knows which pages are there. */
  readonly mapped: MappedPagesState | undefined;
  /** Whether reading moves atime. */
  readonly atime: boolean;
  /** Where a secret's bytes may pass through, as an address; undefined when they are none. */
  readonly secretCopies: number | undefined;
}

/**
 * The bytes of a file, in a memfd: an unnamed tmpfs file, so the kernel keeps its size, its holes, st_blocks and its
 * times, and they are tmpfs's own. What this class adds is the limit, which a memfd lacks, and a short cut: what lies
 * in pages that are there already is copied in a mapping; all else is pread(2) and pwrite(2), which know what a hole is
 * and answer with an error when there is no memory.
 *
 * Every method must be called under the mutex that all threads share.
 */
export class RamBuffer {
  readonly state: RamBufferState;
  readonly #memfd: number;
  /** The same file, opened so that reading leaves atime alone. */
  readonly #noatime: number;
  readonly #maxPages: number;
  readonly #numbers: Float64Array;
  readonly #mapped: MappedPages | undefined;
  readonly #secret: boolean;
  /** How long the file can be. Of a secret, only that much is locked. */
  readonly #maxLength: number;

  constructor(state: RamBufferState) {
    this.state = state;
    this.#memfd = state.memfd;
    this.#noatime = state.noatime;
    this.#maxPages = state.maxPages;
    this.#numbers = new Float64Array(state.numbers);
    this.#mapped = state.mapped && new MappedPages(state.mapped);
    this.#secret = state.secretCopies !== undefined;
    this.#maxLength = this.#secret && state.mapped ? state.maxPages * PAGE_SIZE : Number.POSITIVE_INFINITY;
  }

  /** An empty buffer. Throws an Errno when there is no memory, or no right to what the options ask for. */
  static create({ name, maxSize, lent = false, atime = true, secret }: RamBufferOptions): RamBuffer {
    const maxPages = Math.floor(maxSize / PAGE_SIZE);
    const memfd = lent
      ? tmpfsFile(maxSize, secret !== undefined)
      : memfdCreate(name.slice(0, MEMFD_NAME_MAX), MFD_CLOEXEC);
    const mapped = lent ? undefined : MappedPages.create(memfd);
    if (secret !== undefined) mapped?.protect(secret.threads, maxPages * PAGE_SIZE);
    return new RamBuffer({
      memfd,
      noatime: openSync(`/proc/self/fd/${memfd}`, O_NOATIME),
      maxPages,
      numbers: new SharedArrayBuffer(SHARED_NUMBERS * Float64Array.BYTES_PER_ELEMENT),
      mapped: mapped?.state,
      atime,
      secretCopies: secret && secretCopySpace(),
    });
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
    // relatime, as on a tmpfs mounted with the defaults: the first read after a change moves atime, the others don't.
    const old = !noatime && this.#numbers[ATIME_IS_OLD] === 1 && this.#atimeMoves();
    if (this.#mapped !== undefined) {
      const { size } = this;
      // Not Math.min: it makes a float of `length`, here and for all who count with it.
      const there = offset + length <= size ? length : size - offset;
      if (there > 0 && this.#mapped.has(offset, there)) {
        // One byte moves it as well, and the others needn't go by the slower way.
        if (old) this.#pread(this.#memfd, bytes, start, 1, offset);
        this.#mapped.copyOut(offset, bytes, start, there);
        return there;
      }
    }
    return this.#pread(old ? this.#memfd : this.#noatime, bytes, start, length, offset);
  }

  /** Copies `length` bytes of `bytes`, from `start`, to `offset`. Returns how many found room, or throws ENOSPC. */
  write(bytes: Uint8Array, start: number, length: number, offset: number): number {
    if (length === 0) return 0;
    if (this.#mapped !== undefined && offset + length <= this.size && this.#mapped.has(offset, length)) {
      this.#mapped.copyIn(offset, bytes, start, length);
      this.#written();
      return length;
    }
    this.#changing();
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
    this.#changing();
    this.#forget(size, Number.POSITIVE_INFINITY);
    this.#mapped?.drop(Math.min(size, this.size), Number.POSITIVE_INFINITY);
    try {
      ftruncateSync(this.#memfd, size);
    } catch (error) {
      throw Errno.from(error);
    }
    this.#numbers[SIZE] = size;
  }

  /** fallocate(2) with the modes that FUSE lets through; tmpfs itself has no ZERO_RANGE. */
  fallocate(mode: number, offset: number, length: number): void {
    if (length === 0) throw new Errno(EINVAL);
    if (offset + length > this.#maxLength && !(mode & FALLOC_FL_PUNCH_HOLE)) throw new Errno(EFBIG);
    this.#changing();
    const keepSize = mode & FALLOC_FL_KEEP_SIZE;
    const punch = () => this.#punch(offset, length);
    switch (mode) {
      case 0:
      case FALLOC_FL_KEEP_SIZE:
        this.#allocate(keepSize, offset, length);
        break;
      case FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE:
        punch();
        break;
      case FALLOC_FL_ZERO_RANGE:
      case FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE:
        // Allocated first, so that a range that doesn't fit is refused with its data still there.
        this.#allocate(keepSize, offset, length);
        punch();
        this.#allocate(keepSize, offset, length);
        break;
      default:
        throw new Errno(EOPNOTSUPP);
    }
  }

  get size(): number {
    return this.#mapped === undefined ? fstatSync(this.#memfd).size : (this.#numbers[SIZE] ?? 0);
  }

  /** The first data at or after `offset`. Throws ENXIO when there is none. */
  nextData(offset: number): number {
    return lseek(this.#memfd, offset, SEEK_DATA);
  }

  /** The first hole at or after `offset`; the end counts as one. Throws ENXIO from the end on. */
  nextHole(offset: number): number {
    return lseek(this.#memfd, offset, SEEK_HOLE);
  }

  /** Sizes in bytes, blocks of 512, and the times. */
  stat() {
    // As bigints: a double can't hold nanoseconds since 1970.
    const stat = fstatSync(this.#memfd, { bigint: true });
    this.#numbers[MTIME_IS_SET] = 0;
    const written = BigInt(this.#numbers[WRITTEN_MS] ?? 0) * 1_000_000n;
    // 0 is no time: one that was set may lie before 1970.
    const latest = (ns: bigint) => timespec(written === 0n || ns > written ? ns : written);
    return {
      size: Number(stat.size),
      blocks: Number(stat.blocks),
      blksize: PAGE_SIZE,
      atime: timespec(stat.atimeNs),
      mtime: latest(stat.mtimeNs),
      ctime: latest(stat.ctimeNs),
    };
  }

  /** Sets one time or both, and ctime to the present. */
  setTimes(atime: Timespec | undefined, mtime: Timespec | undefined): void {
    this.#changing();
    futimens(this.#memfd, atime ?? OMIT, mtime ?? OMIT);
    this.#numbers[MTIME_IS_SET] = 0;
    if (atime !== undefined) this.#numbers[ATIME_IS_SET] = atime.nsec === UTIME_NOW ? 0 : 1;
  }

  /** Sets ctime to the present: the inode changed in what the memfd doesn't keep. */
  touch(): void {
    this.#changing();
    fchownSync(this.#memfd, -1, -1);
  }

  /** Pages in use and allowed: what statfs(2) tells. */
  get pages(): { used: number; max: number; size: number } {
    return { used: this.#usedPages(), max: this.#maxPages, size: PAGE_SIZE };
  }

  /** Makes the numbers beside the memfd those of the memfd again: a thread ended in the middle of changing them. */
  recover(): void {
    this.#mapped?.drop(0, Number.POSITIVE_INFINITY);
    this.#numbers[SIZE] = fstatSync(this.#memfd).size;
    this.#numbers[PAGES] = this.#usedPages();
  }

  /** Gives the memory back to the system now, whoever still has the descriptors. */
  free(): void {
    for (const _ of this.freeing());
  }

  /** The same, in steps of some milliseconds. Yields how much is done: of a secret, how much is overwritten. */
  *freeing(): Generator<Freed, void, undefined> {
    const total = this.#usedPages() * PAGE_SIZE;
    let bytes = 0;
    for (const count of this.#forgetting(0, Number.POSITIVE_INFINITY)) {
      bytes += count;
      yield { bytes, total };
    }
    this.#mapped?.release();
    // Where the data is dense, each step gives back as much.
    const { size } = fstatSync(this.#memfd);
    for (let steps = Math.ceil(total / FREE_SIZE), left = steps - 1; left > 0; left--) {
      ftruncateSync(this.#memfd, Math.floor((size / steps) * left));
      yield { bytes: Math.max(bytes, total - this.#usedPages() * PAGE_SIZE), total };
    }
    ftruncateSync(this.#memfd, 0);
    closeSync(this.#noatime);
    closeSync(this.#memfd);
  }

  /**
   * The kernel doesn't see a write in a mapping, so its time is kept here: the first after a stat is told to the memfd,
   * exact and later than what was told before; of those that follow only the millisecond is noted.
   */
  #written(): void {
    this.#numbers[ATIME_IS_OLD] = 1;
    if (this.#numbers[MTIME_IS_SET] === 1) {
      this.#numbers[WRITTEN_MS] = Date.now();
    } else {
      futimens(this.#memfd, OMIT, NOW);
      this.#numbers[MTIME_IS_SET] = 1;
    }
  }

  /** Whether the first read after a change moves atime: always, unless a later time was set (relatime_need_update). */
  #atimeMoves(): boolean {
    this.#numbers[ATIME_IS_OLD] = 0;
    if (!this.state.atime) return false;
    if (this.#numbers[ATIME_IS_SET] !== 1) return true;
    const { atimeMs, mtimeMs, ctimeMs } = fstatSync(this.#memfd);
    const written = (this.#numbers[WRITTEN_MS] ?? 0) + 1;
    const moves = atimeMs <= Math.max(mtimeMs, ctimeMs, written);
    this.#numbers[ATIME_IS_SET] = moves ? 0 : 1;
    return moves;
  }

  /** Before the kernel changes the memfd's times: hands it the one that it doesn't know yet, so that none goes back. */
  #changing(): void {
    this.#numbers[ATIME_IS_OLD] = 1;
    if (this.#numbers[WRITTEN_MS] === 0) return;
    const { mtime } = this.stat();
    futimens(this.#memfd, OMIT, mtime);
    this.#numbers[WRITTEN_MS] = 0;
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
        fallocate(this.#memfd, 0, offset, length);
        this.#numbers[SIZE] = Math.max(this.size, offset + length);
        this.#mapped.add(offset, length);
        this.#mapped.copyIn(offset, bytes, start, length);
        this.#written();
        return length;
      }
      const count = writeSync(this.#memfd, bytes, start, length, offset);
      this.#numbers[SIZE] = Math.max(this.size, offset + count);
      this.#mapped?.add(offset, count);
      return count;
    } catch (error) {
      throw outOfMemory(error);
    }
  }

  /** Overwrites a secret's bytes from `offset` to `end`, before their pages are given back. */
  #forget(offset: number, end: number): void {
    for (const _ of this.#forgetting(offset, end));
  }

  /** The same, in steps. Yields how many bytes each overwrote. */
  *#forgetting(offset: number, end: number): Generator<number, void, undefined> {
    if (!this.#secret) return;
    const zeros = new Uint8Array(COPY_SIZE);
    for (let at = this.#dataFrom(offset); at < end; at = this.#dataFrom(at)) {
      // Looked up once: finding it takes longer, the longer the data is.
      const hole = Math.min(this.nextHole(at), end);
      while (at < hole) {
        const count = writeSync(this.#memfd, zeros, 0, Math.min(hole - at, zeros.length), at);
        at += count;
        yield count;
      }
    }
  }

  #punch(offset: number, length: number): void {
    this.#forget(offset, offset + length);
    this.#mapped?.drop(offset, offset + length);
    fallocate(this.#memfd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, length);
  }

  #usedPages(): number {
    return fstatSync(this.#memfd).blocks / BLOCKS_PER_PAGE;
  }

  /**
   * Whether the limit surely has room for all pages of a range, which then count as used.
   *
   * PAGES is never below the pages in use: each write adds all that it touches, whether they are there or not. Only
   * when that reaches the limit are they counted, so a write far from the limit makes no system call for it.
   *
   * The limit is the lower one of maxPages and what memory there is. Who takes more than that is not told: the kernel ends
   * a process instead (mem_cgroup_out_of_memory), and the one that has the most is this one.
   */
  #reserve(offset: number, length: number): boolean {
    // The kernel keeps the limit of a lent file by itself.
    if (this.#mapped === undefined) return true;
    const touched = pagesOf(offset, offset + length);
    let pages = (this.#numbers[PAGES] ?? 0) + touched;
    if (pages > this.#limit) {
      const used = this.#usedPages();
      pages = used + touched;
      // Looking costs a fifth of a millisecond, and when it is maxPages that ends the file, tells nothing.
      if (pages <= this.#maxPages || this.#limit < this.#maxPages) {
        this.#numbers[SURE_PAGES] = used + pagesAhead(touched);
      }
    }
    if (pages > this.#limit) return false;
    this.#numbers[PAGES] = pages;
    return true;
  }

  /** How many pages may be in use. */
  get #limit(): number {
    return Math.min(this.#maxPages, this.#numbers[SURE_PAGES] ?? 0);
  }

  /** Writes up to the first page that is missing and has no room. Returns how many bytes that was. */
  #writeNearLimit(bytes: Uint8Array, start: number, length: number, offset: number): number {
    let done = 0;
    while (done < length) {
      const at = offset + done;
      const sure = Math.max(this.#roomFrom(at), this.#dataRun(at));
      if (sure > 0) {
        done += this.#put(bytes, start + done, Math.min(sure, length - done), at);
        continue;
      }
      // A page that lseek calls a hole may be there all the same: reserved by fallocate, or the last one, past the end.
      const page = pageUp(at - PAGE_SIZE + 1);
      fallocate(this.#memfd, FALLOC_FL_KEEP_SIZE, page, PAGE_SIZE);
      if (this.#usedPages() > this.#limit) {
        this.#punch(page, PAGE_SIZE);
        break;
      }
      done += this.#put(bytes, start + done, Math.min(page + PAGE_SIZE - at, length - done), at);
    }
    this.#numbers[PAGES] = this.#usedPages();
    return done;
  }

  /** How many bytes from `at` the pages that are left would hold. */
  #roomFrom(at: number): number {
    const room = this.#limit - this.#usedPages();
    return room > 0 ? (Math.floor(at / PAGE_SIZE) + room) * PAGE_SIZE - at : 0;
  }

  /** How many bytes from `at` are data, and so have their pages. */
  #dataRun(at: number): number {
    return at < this.size ? this.nextHole(at) - at : 0;
  }

  #allocate(keepSize: number, offset: number, length: number): void {
    try {
      if (!this.#reserve(offset, length)) this.#allocateNearLimit(keepSize, offset, length);
      else fallocate(this.#memfd, keepSize, offset, length);
      if (keepSize === 0) this.#numbers[SIZE] = Math.max(this.size, offset + length);
    } catch (error) {
      throw outOfMemory(error);
    }
  }

  /** Allocates all of a range, or throws ENOSPC. */
  #allocateNearLimit(keepSize: number, offset: number, length: number): void {
    const end = offset + length;
    // shmem_fallocate refuses this too before it looks what is there already.
    if (pagesOf(offset, end) > this.#maxPages) throw new Errno(ENOSPC);
    const holes = this.#holesIn(offset, end);
    if (this.#hasReserved()) {
      this.#fillPages(holes);
      if (keepSize === 0 && end > this.size) ftruncateSync(this.#memfd, end);
      else futimens(this.#memfd, OMIT, NOW);
    } else {
      const missing = holes.reduce((sum, { start, end }) => sum + pagesOf(start, end), 0);
      if (this.#usedPages() + missing > this.#limit) throw new Errno(ENOSPC);
      fallocate(this.#memfd, keepSize, offset, length);
    }
    this.#numbers[PAGES] = this.#usedPages();
  }

  /**
   * Allocates what is missing of pages that lseek calls holes: only one at a time shows which were reserved before.
   * Throws ENOSPC, with those that were missing missing again; only ctime tells of it then.
   */
  #fillPages(holes: readonly Range[]): void {
    const { mtime } = this.stat();
    const filled: number[] = [];
    let used = this.#usedPages();
    for (const { start, end } of holes) {
      for (let page = start; page < end; page += PAGE_SIZE) {
        fallocate(this.#memfd, FALLOC_FL_KEEP_SIZE, page, PAGE_SIZE);
        const before = used;
        used = this.#usedPages();
        if (used > before) filled.push(page);
        if (used <= this.#limit) continue;
        for (const page of filled) this.#punch(page, PAGE_SIZE);
        futimens(this.#memfd, OMIT, mtime);
        throw new Errno(ENOSPC);
      }
    }
  }

  /** Whether there are pages that were allocated and never written: to lseek they are holes. */
  #hasReserved(): boolean {
    const holes = this.#holesIn(0, this.size);
    return (
      this.#usedPages() >
      holes.reduce((sum, { start, end }) => sum - pagesOf(start, end), pagesOf(0, this.size))
    );
  }

  /** The holes that lseek sees in a range, in whole pages. */
  #holesIn(offset: number, end: number): Range[] {
    const holes = [];
    let at = pageUp(offset - PAGE_SIZE + 1);
    while (at < end) {
      const start = pageUp(at + this.#dataRun(at));
      at = Math.min(start < end ? this.#dataFrom(start) : end, pageUp(end));
      if (start < at) holes.push({ start, end: at });
    }
    return holes;
  }

  /** The first data at or after `offset`, or infinity. */
  #dataFrom(offset: number): number {
    try {
      return this.nextData(offset);
    } catch (error) {
      if (error instanceof Errno && error.errno === ENXIO) return Number.POSITIVE_INFINITY;
      throw error;
    }
  }
}

/** A part of the file, in bytes. */
interface Range {
  readonly start: number;
  readonly end: number;
}

function pageUp(offset: number): number {
  return Math.ceil(offset / PAGE_SIZE) * PAGE_SIZE;
}

/** How many pages may be added before memory is looked at again: `wanted`, if there is so much, or more. */
function pagesAhead(wanted: number): number {
  const room = Math.max(0, Math.floor((memoryRoom() - SPARE) / PAGE_SIZE));
  return Math.min(room, Math.max(wanted, Math.floor(room * AHEAD)));
}

/** The pages that a range touches. */
function pagesOf(start: number, end: number): number {
  return Math.ceil(end / PAGE_SIZE) - Math.floor(start / PAGE_SIZE);
}

function timespec(ns: bigint): Timespec {
  const nsec = ((ns % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  return { sec: Number((ns - nsec) / 1_000_000_000n), nsec: Number(nsec) };
}

/** To a client, memory that can't be had is a device that is full. */
function outOfMemory(error: unknown): unknown {
  const errno = Errno.from(error);
  return errno instanceof Errno && errno.errno === ENOMEM ? new Errno(ENOSPC, errno.message) : errno;
}
