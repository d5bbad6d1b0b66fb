import { HUGE_PAGE_SIZE, hugeUp } from '../sys/huge-pages.ts';
import { mapFileOver, mapMemory, unmapInPlace, viewMemory } from '../sys/mmap.ts';
import { hide, lock } from '../sys/secret-memory.ts';
import { MAPPED_SIZE, MAX_THREADS, PAGE_SIZE, SCRATCH_SIZE, WINDOW_SIZE } from './sizes.ts';

const PAGES_PER_WORD = 32;

/** Where the file begins, behind the scratch memory. */
const WINDOW = MAPPED_SIZE - WINDOW_SIZE;

/** What another thread needs to use the same mapping. */
export interface MappedPagesState {
  readonly address: number;
  readonly bitmap: SharedArrayBuffer;
}

/**
 * The first 3.87 GiB of a memfd, mapped, for the pages of it that are known to be there: copying one of those in memory
 * costs half of what pread(2) costs, and a third for 1 MiB (see scripts/bench/README.md).
 *
 * Only those, because touching any other page of a mapping is wrong: a hole would get its memory (shmem_fault), and what
 * is past the end, or can't be had, is SIGBUS. A bit for each page says which were written and not taken away since.
 *
 * In front of the file lies scratch memory for each thread, in the same ArrayBuffer, because only `copyWithin` copies
 * without making a view first: a request or reply that lies there is copied without allocating anything.
 */
export class MappedPages {
  readonly state: MappedPagesState;
  readonly #bytes: Uint8Array;
  readonly #bitmap: Int32Array;
  /** The scratch memory that was copied from or to last. */
  #scratch: Uint8Array | undefined;

  constructor(state: MappedPagesState) {
    this.state = state;
    this.#bytes = viewMemory(state.address, MAPPED_SIZE);
    this.#bitmap = new Int32Array(state.bitmap);
  }

  static create(memfd: number): MappedPages {
    const address = hugeUp(mapMemory(MAPPED_SIZE + HUGE_PAGE_SIZE));
    mapFileOver(address + WINDOW, WINDOW_SIZE, memfd);
    return new MappedPages({
      address,
      bitmap: new SharedArrayBuffer(Math.ceil(WINDOW_SIZE / PAGE_SIZE / 8 / 4) * 4),
    });
  }

  /**
   * Keeps what is touched of the file's first `length` bytes, and of the scratch memory of so many threads, out of swap, and
   * all of it out of core dumps and child processes. Throws an Errno when that isn't allowed.
   */
  protect(threads: number, length: number): void {
    const { address } = this.state;
    hide(address, MAPPED_SIZE);
    lock(address, threads * SCRATCH_SIZE);
    this.lock(length);
  }

  /** The same of the file's first `length` bytes alone, once it has been done. */
  lock(length: number): void {
    lock(this.state.address + WINDOW, length);
  }

  /** The scratch memory of a thread, 0 to 63, or undefined for any other. */
  scratch(thread: number): Uint8Array | undefined {
    if (thread >= MAX_THREADS) return undefined;
    return new Uint8Array(this.#bytes.buffer, thread * SCRATCH_SIZE, SCRATCH_SIZE);
  }

  /** Whether all pages of a range of the file are known to be there. */
  has(offset: number, length: number): boolean {
    const end = offset + length;
    if (end > WINDOW_SIZE) return false;
    const last = (end - 1) >>> 12;
    let page = offset >>> 12;
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
    if (length === 0 || offset >= WINDOW_SIZE) return;
    const last = (Math.min(offset + length, WINDOW_SIZE) - 1) >>> 12;
    for (let page = offset >>> 12; page <= last; page++) {
      this.#bitmap[page >>> 5] = (this.#bitmap[page >>> 5] ?? 0) | (1 << (page & 31));
    }
  }

  /** Says that nothing is known any more of the pages from `offset` to `end`, and of a few around them. */
  drop(offset: number, end: number): void {
    const word = (at: number) => Math.min(at, WINDOW_SIZE) / PAGE_SIZE / PAGES_PER_WORD;
    this.#bitmap.fill(0, Math.floor(word(offset)), Math.ceil(word(end)));
  }

  /** Copies a range of the file whose pages are there to `bytes`, from `start`. */
  copyOut(offset: number, bytes: Uint8Array, start: number, length: number): void {
    const from = WINDOW + offset;
    if (this.#isScratch(bytes)) this.#bytes.copyWithin(bytes.byteOffset + start, from, from + length);
    else bytes.set(this.#bytes.subarray(from, from + length), start);
  }

  /** Copies `length` of `bytes`, from `start`, to a range of the file whose pages are there. */
  copyIn(offset: number, bytes: Uint8Array, start: number, length: number): void {
    const to = WINDOW + offset;
    const from = bytes.byteOffset + start;
    if (this.#isScratch(bytes)) this.#bytes.copyWithin(to, from, from + length);
    else this.#bytes.set(bytes.subarray(start, start + length), to);
  }

  /** Overwrites a range of the file whose pages are there. */
  zero(offset: number, length: number): void {
    this.#bytes.fill(0, WINDOW + offset, WINDOW + offset + length);
  }

  /** Whether `bytes` is scratch memory. Remembered, since V8 calls out for each `buffer`: a third of a 4 KiB copy. */
  #isScratch(bytes: Uint8Array): boolean {
    if (bytes === this.#scratch) return true;
    if (bytes.buffer !== this.#bytes.buffer) return false;
    this.#scratch = bytes;
    return true;
  }

  /** Lets go of the file. The scratch memory stays: a thread may be waiting in it for its next request. */
  release(): void {
    unmapInPlace(this.state.address + WINDOW, WINDOW_SIZE);
  }
}
