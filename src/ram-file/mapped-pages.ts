import { ENOMEM, Errno } from '../sys/errno.ts';
import { HUGE_PAGE_SIZE, hugeUp } from '../sys/huge-pages.ts';
import { addressOf } from '../sys/libc.ts';
import { copyMemory, mapFile, mapFileOver, mapMemory, unmapInPlace, viewMemory } from '../sys/mmap.ts';
import { getrlimit, RLIMIT_AS } from '../sys/rlimit.ts';
import { hide, lock } from '../sys/secret-memory.ts';
import { MAPPED_SIZE, MAX_THREADS, PAGE_SIZE, SCRATCH_SIZE, WINDOW_SIZE } from './sizes.ts';

const PAGES_PER_WORD = 32;

/** Where the file begins, behind the scratch memory. */
const WINDOW = MAPPED_SIZE - WINDOW_SIZE;

/**
 * What a thread looks at first: the scratch memory of a few threads, and as much of the file. V8 takes a view for memory that was allocated:
 * for one of all that is mapped it collects garbage at once, which takes 10 to 30 ms in each thread, and from 64 MB on in the background.
 */
const FEW_THREADS = 4;
const SMALL = 16 << 20;

/** The most that is mapped of a file, in bytes: its bits are 32 MiB then. */
const FAR_SIZE = 2 ** 40;

/** What another thread needs to use the same mapping. */
export interface MappedPagesState {
  readonly address: number;
  readonly bitmap: SharedArrayBuffer;
  /** Where the file is mapped once more, from its start, for what is behind the first mapping's end. */
  readonly far: number | undefined;
}

/**
 * A memfd, mapped, for the pages of it that are known to be there: copying one of those in memory
 * costs half of what pread(2) costs, and a third for 1 MiB (see scripts/bench/README.md).
 *
 * Only those, because touching any other page of a mapping is wrong: a hole would get its memory (shmem_fault), and what
 * is past the end, or can't be had, is SIGBUS. A bit for each page says which were written and not taken away since.
 *
 * In front of the file lies scratch memory for each thread, the first nearest, in the same ArrayBuffer, because only `copyWithin` copies
 * without making a view first: a request or reply that lies there is copied without allocating anything.
 * An ArrayBuffer ends after 3.87 GiB of the file; what lies behind that is copied by memcpy(3), which takes 0.2 us longer to call.
 */
export class MappedPages {
  readonly state: MappedPagesState;
  /** The part of the mapping that this thread looks at, where in the mapping that begins, where in it the file does, and how much of that it has. */
  #bytes: Uint8Array = new Uint8Array(0);
  #start = MAPPED_SIZE;
  #file = 0;
  #seen = 0;
  /** Where in the mapping each view begins that scratch memory was made of. */
  readonly #starts = new Map<ArrayBufferLike, number>();
  readonly #bitmap: Int32Array;
  /** How much of the file is mapped, in bytes. */
  readonly #end: number;
  /** The scratch memory that was copied from or to last, and where its ArrayBuffer begins in `#bytes`. */
  #scratch: Uint8Array | undefined;
  #scratchStart = 0;

  constructor(state: MappedPagesState) {
    this.state = state;
    this.#bitmap = new Int32Array(state.bitmap);
    this.#end = state.far === undefined ? WINDOW_SIZE : state.bitmap.byteLength * 8 * PAGE_SIZE;
  }

  /** Maps a file of which so many bytes are likely to be used, counted from its start. */
  static create(memfd: number, length: number): MappedPages {
    const address = hugeUp(mapMemory(MAPPED_SIZE + HUGE_PAGE_SIZE));
    mapFileOver(address + WINDOW, WINDOW_SIZE, memfd);
    const all = hugeUp(Math.min(length, FAR_SIZE));
    const far = all > WINDOW_SIZE && hasAddresses() ? mapFar(memfd, all) : undefined;
    const mapped = far === undefined ? WINDOW_SIZE : all;
    const bitmap = new SharedArrayBuffer(Math.ceil(mapped / PAGE_SIZE / 8 / 4) * 4);
    return new MappedPages({ address, bitmap, far });
  }

  /**
   * Keeps what is touched of the file's first `length` bytes, and of the scratch memory of so many threads, out of swap, and
   * all of it out of core dumps and child processes. Throws an Errno when that isn't allowed.
   */
  protect(threads: number, length: number): void {
    const { address } = this.state;
    hide(address, MAPPED_SIZE);
    lock(address + scratchStart(threads - 1), threads * SCRATCH_SIZE);
    this.lock(length);
  }

  /** The same of the file's first `length` bytes alone, once it has been done. */
  lock(length: number): void {
    lock(this.state.address + WINDOW, length);
  }

  /** The scratch memory of a thread, 0 to 63, or undefined for any other. */
  scratch(thread: number): Uint8Array | undefined {
    if (thread >= MAX_THREADS) return undefined;
    const start = scratchStart(thread);
    this.#look(start, 0);
    this.#starts.set(this.#bytes.buffer, this.#start);
    return new Uint8Array(this.#bytes.buffer, start - this.#start, SCRATCH_SIZE);
  }

  /** Has the mapping be in view from `start`, and so much of the file. */
  #look(start: number, length: number): void {
    if (start >= this.#start && length <= this.#seen) return;
    const isFirst = this.#start === MAPPED_SIZE;
    const isSmall = isFirst && start >= scratchStart(FEW_THREADS - 1) && length <= SMALL;
    this.#start = isSmall ? scratchStart(FEW_THREADS - 1) : 0;
    this.#file = WINDOW - this.#start;
    this.#seen = isSmall ? SMALL : WINDOW_SIZE;
    this.#bytes = viewMemory(this.state.address + this.#start, this.#file + this.#seen);
    this.#scratch = undefined;
  }

  /** Whether all pages of a range of the file are known to be there. */
  has(offset: number, length: number): boolean {
    const end = offset + length;
    if (end > this.#end) return false;
    const last = pageOf(end - 1);
    let page = pageOf(offset);
    while (page <= last) {
      const word = this.#bitmap[page >>> 5];
      if (word === -1) page = (page | 31) + 1;
      else if (((word ?? 0) >>> (page & 31)) & 1) page++;
      else return false;
    }
    return true;
  }

  /** Says that all pages of a range, which were just written, are there. */
  add(offset: number, length: number): void {
    if (length === 0 || offset >= this.#end) return;
    const last = pageOf(Math.min(offset + length, this.#end) - 1);
    for (let page = pageOf(offset); page <= last; page++) {
      this.#bitmap[page >>> 5] = (this.#bitmap[page >>> 5] ?? 0) | (1 << (page & 31));
    }
  }

  /** Says that nothing is known any more of the pages from `offset` to `end`, and of a few around them. */
  drop(offset: number, end: number): void {
    const word = (at: number) => Math.min(at, this.#end) / PAGE_SIZE / PAGES_PER_WORD;
    this.#bitmap.fill(0, Math.floor(word(offset)), Math.ceil(word(end)));
  }

  /** Copies a range of the file whose pages are there to `bytes`, from `start`. */
  copyOut(offset: number, bytes: Uint8Array, start: number, length: number): void {
    if (offset + length > this.#seen && this.#isFar(offset + length)) {
      copyMemory(this.#addressOf(bytes) + start, this.#far + offset, length);
      return;
    }
    const from = this.#file + offset;
    if (this.#isScratch(bytes))
      this.#bytes.copyWithin(this.#scratchStart + bytes.byteOffset + start, from, from + length);
    else bytes.set(this.#bytes.subarray(from, from + length), start);
  }

  /** Copies `length` of `bytes`, from `start`, to a range of the file whose pages are there. */
  copyIn(offset: number, bytes: Uint8Array, start: number, length: number): void {
    if (offset + length > this.#seen && this.#isFar(offset + length)) {
      copyMemory(this.#far + offset, this.#addressOf(bytes) + start, length);
      return;
    }
    const to = this.#file + offset;
    if (this.#isScratch(bytes)) {
      const from = this.#scratchStart + bytes.byteOffset + start;
      this.#bytes.copyWithin(to, from, from + length);
    } else this.#bytes.set(bytes.subarray(start, start + length), to);
  }

  /** Overwrites a range of the file whose pages are there. */
  zero(offset: number, length: number): void {
    this.#look(WINDOW, offset + length);
    const from = this.#file + offset;
    this.#bytes.fill(0, from, from + length);
  }

  /** Whether `bytes` is scratch memory. Remembered, since V8 calls out for each `buffer`: a third of a 4 KiB copy. */
  #isScratch(bytes: Uint8Array): boolean {
    if (bytes === this.#scratch) return true;
    const start = this.#starts.get(bytes.buffer);
    if (start === undefined) return false;
    this.#scratchStart = start - this.#start;
    this.#scratch = bytes;
    return true;
  }

  /** Whether the first mapping ends before `end`. Where it doesn't, all until there is in view from now on. */
  #isFar(end: number): boolean {
    if (end > WINDOW_SIZE) return true;
    this.#look(WINDOW, end);
    return false;
  }

  get #far(): number {
    return this.state.far ?? Number.NaN;
  }

  #addressOf(bytes: Uint8Array): number {
    if (!this.#isScratch(bytes)) return Number(addressOf(bytes));
    return this.state.address + this.#start + this.#scratchStart + bytes.byteOffset;
  }

  /** Lets go of the file. The scratch memory stays: a thread may be waiting in it for its next request. */
  release(): void {
    unmapInPlace(this.state.address + WINDOW, WINDOW_SIZE);
    if (this.state.far !== undefined) unmapInPlace(this.state.far, this.#end);
  }
}

/** The number of the page that an offset lies in. A shift is faster, and ends where 32 bits do. */
function pageOf(offset: number): number {
  return offset < WINDOW_SIZE ? offset >>> 12 : Math.floor(offset / PAGE_SIZE);
}

/** Where addresses are few ("ulimit -v"), threads need them: V8 ends the process when it gets none. */
function hasAddresses(): boolean {
  return getrlimit(RLIMIT_AS) > Number.MAX_SAFE_INTEGER;
}

/** Maps the file from its start, with its ranges of 2 MiB where huge pages can be. Returns undefined where there are no addresses left. */
function mapFar(memfd: number, length: number): number | undefined {
  try {
    const address = hugeUp(mapFile(length + HUGE_PAGE_SIZE, memfd, 0));
    mapFileOver(address, length, memfd);
    return address;
  } catch (error) {
    if (error instanceof Errno && error.errno === ENOMEM) return undefined;
    throw error;
  }
}

/** Where a thread's scratch memory begins in the mapping. */
function scratchStart(thread: number): number {
  return WINDOW - (thread + 1) * SCRATCH_SIZE;
}
