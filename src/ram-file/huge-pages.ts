import { fstatSync } from 'node:fs';
import { EINVAL, Errno } from '../sys/errno.ts';
import { collapse, HUGE_PAGE_SIZE, hugeDown, mappedHuge } from '../sys/huge-pages.ts';
import { mincore } from '../sys/mmap.ts';
import { Claims } from './claims.ts';
import { dataFrom, type Range } from './extents.ts';
import { isOwnMemory } from './memory-owner.ts';
import type { RamBufferState } from './ram-buffer.ts';
import { PAGE_SIZE } from './sizes.ts';

const PAGES = HUGE_PAGE_SIZE / PAGE_SIZE;

/** How much is made huge pages at once, in bytes: 2 ms of work. */
const BATCH = 8 << 20;
/** Between two batches, in milliseconds: that takes a tenth of a processor's time. */
const PAUSE = 20;
/** Between two looks at a file, in milliseconds. */
const LOOK = 1000;
/** A file that takes more memory than this between two looks is being filled, in bytes: its pages can wait. */
const FILLING = 16 << 20;
/** Until what couldn't be had is tried again, in milliseconds. */
const LATER = 5000;

/**
 * Makes huge pages of a file's full ranges of 2 MiB, at moments when nobody fills it: the kernel copies from and to them up to
 * twice as fast. Ranges with a page missing stay as they are, since a huge page has them all: size, st_blocks and what
 * lseek finds don't change by it. Not for a secret: its pages would be given back with its bytes in them.
 *
 * No mutex is held meanwhile. The kernel itself keeps readers and writers away from the 2 MiB that it moves, for half a
 * millisecond. Where it can't, as before Linux 6.1, nothing happens.
 */
export class HugePages implements Disposable {
  readonly #state: RamBufferState;
  readonly #claims: Claims;
  readonly #locked: <T>(use: () => T) => T;
  /** Where the ranges start that are huge pages, or won't be. */
  readonly #done = new Set<number>();
  /** How far the file was gone through; undefined when nobody goes through it. */
  #at: number | undefined;
  /** st_blocks when the file was looked at last, and gone through last. */
  #seen = 0;
  #settled = 0;
  /** When to try again what failed, as performance.now() counts. */
  #retry = Number.POSITIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;

  /** `locked` calls under the mutex that all threads share. */
  constructor(state: RamBufferState, locked: <T>(use: () => T) => T) {
    this.#state = state;
    this.#claims = new Claims(state.claims);
    this.#locked = locked;
    this.#plan(LOOK);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }

  #plan(delay: number): void {
    this.#timer = setTimeout(() => this.#plan(this.step() ? PAUSE : LOOK), delay).unref();
  }

  /** Makes one batch, when it is time for it. Returns whether there may be more. */
  step(): boolean {
    if (this.#at === undefined) {
      if (!this.#isTime()) return false;
      this.#forgetShrunk();
    }
    const batch = this.#nextBatch(this.#at ?? 0);
    this.#at = batch?.end;
    if (batch === undefined) return false;
    this.#locked(() => this.#claims.claim(batch));
    try {
      this.#make(batch);
    } finally {
      this.#claims.release();
    }
    return true;
  }

  #isTime(): boolean {
    const { blocks } = fstatSync(this.#state.fd);
    const taken = (blocks - this.#seen) * 512;
    this.#seen = blocks;
    if (taken > FILLING) return false;
    const now = performance.now();
    if (blocks === this.#settled && !this.#claims.hasShrunk && now < this.#retry) return false;
    this.#settled = blocks;
    this.#retry = Number.POSITIVE_INFINITY;
    return true;
  }

  /** The next ranges with data in them that aren't done. */
  #nextBatch(from: number): Range | undefined {
    let start = hugeDown(dataFrom(this.#state.fd, from));
    while (this.#done.has(start)) start = hugeDown(dataFrom(this.#state.fd, start + HUGE_PAGE_SIZE));
    if (start === Number.POSITIVE_INFINITY) return undefined;
    let end = start + HUGE_PAGE_SIZE;
    while (end < start + BATCH && !this.#done.has(end)) end += HUGE_PAGE_SIZE;
    return { start, end };
  }

  /** Where pages were taken away, huge ones may have been split. */
  #forgetShrunk(): void {
    const shrunk = this.#locked(() => this.#claims.takeShrunk());
    if (shrunk === undefined) return;
    for (const start of this.#done) {
      if (start < shrunk.end && shrunk.start < start + HUGE_PAGE_SIZE) this.#done.delete(start);
    }
  }

  /** Makes huge pages of what is full in a batch. */
  #make({ start, end }: Range): void {
    try {
      mappedHuge(this.#state.fd, start, end - start, (address) => {
        for (const full of fullRanges(address, end - start)) {
          this.#collapse(address + full.start, full.end - full.start);
          for (let at = full.start; at < full.end; at += HUGE_PAGE_SIZE) this.#done.add(start + at);
        }
      });
    } catch (error) {
      if (!(error instanceof Errno)) throw error;
      this.#retry = performance.now() + LATER;
    }
  }

  /** Throws an Errno when another time may do. */
  #collapse(address: number, length: number): void {
    // The pages of a lent file count as memory of who wrote them, and would count as this process's from then on.
    if (this.#state.place === 'lent' && !isOwnMemory(address, length)) return;
    try {
      collapse(address, length);
    } catch (error) {
      if (!(error instanceof Errno && error.errno === EINVAL)) throw error;
    }
  }
}

/** The ranges of 2 MiB of a mapping that have all their pages in memory, as many at once as there are in a row. */
function* fullRanges(address: number, length: number): Generator<Range, void> {
  const pages = new Uint8Array(length / PAGE_SIZE);
  mincore(address, length, pages);
  const isFull = (at: number) => {
    const first = at / PAGE_SIZE;
    return at < length && pages.subarray(first, first + PAGES).every((page) => page & 1);
  };
  for (let start = 0, end = 0; start < length; start = end + HUGE_PAGE_SIZE) {
    for (end = start; isFull(end); ) end += HUGE_PAGE_SIZE;
    if (start < end) yield { start, end };
  }
}
