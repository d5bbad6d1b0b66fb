import { fstatSync, ftruncateSync } from 'node:fs';
import { EINVAL, ENOSPC, Errno } from '../sys/errno.ts';
import { FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE, fallocate } from '../sys/memfd.ts';
import { dataEnd, holesIn, pageDown, pagesOf, type Range } from './extents.ts';
import { memoryRoom } from './memory-room.ts';
import { PAGE_SIZE } from './sizes.ts';
import { mtimeOf, NOW, setMtime } from './times.ts';

/** What is left to this process itself when memory runs out, for what serving needs now and then, in bytes. */
export const SPARE = 32 << 20;
/** The part of the memory that is left which is taken without looking again. */
const AHEAD = 1 / 8;
/** st_blocks counts in units of 512 bytes. */
const BLOCKS_PER_PAGE = PAGE_SIZE / 512;

/** Indexes of the numbers that all threads share. */
const PAGES = 0;
const SURE_PAGES = 1;
const MAX_PAGES = 2;
const NUMBERS = 3;

/** What another thread needs to keep the same limit. */
export interface PageLimitState {
  readonly numbers: SharedArrayBuffer;
}

/** How many pages a size takes, as tmpfs rounds its own (shmem_parse_one). */
export function pagesFor(bytes: number): number {
  return Math.ceil(bytes / PAGE_SIZE);
}

/** The most pages that may be in use, for who doesn't have the mutex. */
export function mostPages({ numbers }: PageLimitState): number {
  return new Float64Array(numbers)[MAX_PAGES] ?? 0;
}

/**
 * Which pages of a memfd may be taken. A memfd has no limit of its own; a file on a tmpfs with `size=` does, and to that
 * tmpfs's answers this one's are the same.
 *
 * PAGES is never below the pages in use: each write adds all that it touches, whether they are there or not. Only when
 * that reaches the limit are they counted, so a write far from the limit makes no system call for it.
 *
 * The limit is the lower one of `max` and what memory there is. Who takes more than that is not told: the kernel ends a
 * process instead (mem_cgroup_out_of_memory), and the one that has the most is this one.
 *
 * Every method must be called under the mutex that all threads share.
 */
export class PageLimit {
  readonly #fd: number;
  readonly #numbers: Float64Array;

  constructor(fd: number, state: PageLimitState) {
    this.#fd = fd;
    this.#numbers = new Float64Array(state.numbers);
  }

  /** `size`: the limit in bytes. */
  static allocate(size: number): PageLimitState {
    const numbers = new SharedArrayBuffer(NUMBERS * Float64Array.BYTES_PER_ELEMENT);
    new Float64Array(numbers)[MAX_PAGES] = pagesFor(size);
    return { numbers };
  }

  /** The most pages that may be in use. */
  get max(): number {
    return this.#numbers[MAX_PAGES] ?? 0;
  }

  /** Throws EINVAL when more are in use, as a tmpfs does that is mounted again (shmem_reconfigure). */
  set max(pages: number) {
    if (pages < this.used) throw new Errno(EINVAL);
    this.#numbers[MAX_PAGES] = pages;
  }

  /** How many pages are in use. */
  get used(): number {
    return fstatSync(this.#fd).blocks / BLOCKS_PER_PAGE;
  }

  /** Whether there surely is room for all pages of a range, which then count as used. */
  reserve(offset: number, length: number): boolean {
    const touched = pagesOf(offset, offset + length);
    let pages = (this.#numbers[PAGES] ?? 0) + touched;
    if (pages > this.#limit) {
      const { used } = this;
      pages = used + touched;
      // Looking costs a fifth of a millisecond, and when it is `max` that ends the file, tells nothing.
      if (pages <= this.max || this.#limit < this.max) {
        this.#numbers[SURE_PAGES] = used + pagesAhead(touched);
      }
    }
    if (pages > this.#limit) return false;
    this.#numbers[PAGES] = pages;
    return true;
  }

  /** Counts the pages in use: what was reserved and not taken may be had again. */
  recount(): void {
    this.#numbers[PAGES] = this.used;
  }

  /** Near the limit: how many bytes from `offset` can be written for certain. At 0 there is no room for the next page. */
  roomFrom(offset: number): number {
    const page = pageDown(offset);
    const left = Math.max(0, this.#limit - this.used);
    const sure = Math.max(page + left * PAGE_SIZE, dataEnd(this.#fd, offset)) - offset;
    if (sure > 0) return sure;
    return this.#take(page) === undefined ? 0 : page + PAGE_SIZE - offset;
  }

  /** Near the limit: fallocate(2) of all of a range, or ENOSPC. `keepSize`: 0 or FALLOC_FL_KEEP_SIZE. */
  allocate(keepSize: number, offset: number, length: number): void {
    const end = offset + length;
    // shmem_fallocate refuses this too before it looks what is there already.
    if (pagesOf(offset, end) > this.max) throw new Errno(ENOSPC);
    const holes = holesIn(this.#fd, offset, end);
    if (this.#hasReserved()) {
      this.#fill(holes);
      if (keepSize === 0 && end > fstatSync(this.#fd).size) ftruncateSync(this.#fd, end);
      else setMtime(this.#fd, NOW);
    } else {
      const missing = holes.reduce((sum, { start, end }) => sum + pagesOf(start, end), 0);
      if (this.used + missing > this.#limit) throw new Errno(ENOSPC);
      fallocate(this.#fd, keepSize, offset, length);
    }
    this.recount();
  }

  /** How many pages may be in use. */
  get #limit(): number {
    return Math.min(this.max, this.#numbers[SURE_PAGES] ?? 0);
  }

  /**
   * Takes a page that lseek calls a hole. It may be there all the same: reserved by fallocate, or the last one, past the
   * end. Returns how many pages are in use then, or undefined when there is no room for it.
   */
  #take(page: number): number | undefined {
    fallocate(this.#fd, FALLOC_FL_KEEP_SIZE, page, PAGE_SIZE);
    const { used } = this;
    if (used <= this.#limit) return used;
    this.#giveBack(page);
    return undefined;
  }

  #giveBack(page: number): void {
    fallocate(this.#fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, page, PAGE_SIZE);
  }

  /**
   * Takes what is missing of pages that lseek calls holes: only one at a time shows which were reserved before. Throws
   * ENOSPC, with those that were missing missing again; only ctime tells of it then.
   */
  #fill(holes: readonly Range[]): void {
    const mtime = mtimeOf(this.#fd);
    const filled: number[] = [];
    let { used } = this;
    for (const { start, end } of holes) {
      for (let page = start; page < end; page += PAGE_SIZE) {
        const then = this.#take(page);
        if (then === undefined) {
          for (const page of filled) this.#giveBack(page);
          setMtime(this.#fd, mtime);
          throw new Errno(ENOSPC);
        }
        if (then > used) filled.push(page);
        used = then;
      }
    }
  }

  /** Whether there are pages that were allocated and never written: to lseek they are holes. */
  #hasReserved(): boolean {
    const { size } = fstatSync(this.#fd);
    const holes = holesIn(this.#fd, 0, size);
    return this.used > holes.reduce((sum, { start, end }) => sum - pagesOf(start, end), pagesOf(0, size));
  }
}

/** How many pages may be added before memory is looked at again: `wanted`, if there is so much, or more. */
function pagesAhead(wanted: number): number {
  const room = Math.max(0, Math.floor((memoryRoom() - SPARE) / PAGE_SIZE));
  return Math.min(room, Math.max(wanted, Math.floor(room * AHEAD)));
}
