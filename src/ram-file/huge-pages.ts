import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { EINVAL, Errno } from '../sys/errno.ts';
import { collapse, HUGE_PAGE_SIZE, hugeDown, mappedHuge } from '../sys/huge-pages.ts';
import { O_NOATIME } from '../sys/memfd.ts';
import { mincore } from '../sys/mmap.ts';
import { Claims } from './claims.ts';
import { dataFrom, type Range } from './extents.ts';
import { isOwnMemory } from './memory-owner.ts';
import type { RamBufferState } from './ram-buffer.ts';
import { PAGE_SIZE } from './sizes.ts';

/** Between two ranges, in milliseconds: one takes half a millisecond or one, and who is to run next waits no longer. */
const PAUSE = 10;
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
 * One after the other, and without the mutex: the kernel itself keeps readers and writers away from the 2 MiB that it moves.
 * Where it can't, as before Linux 6.1, nothing happens.
 */
export class HugePages implements Disposable {
  readonly #state: RamBufferState;
  /** The file once more: to map it moves atime otherwise (shmem_mmap). */
  readonly #fd: number;
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
  #isOver = false;

  /** `locked` calls under the mutex that all threads share. */
  constructor(state: RamBufferState, locked: <T>(use: () => T) => T) {
    this.#state = state;
    this.#fd = openSync(`/proc/self/fd/${state.fd}`, constants.O_RDWR | O_NOATIME);
    this.#claims = new Claims(state.claims);
    this.#locked = locked;
    this.#plan(LOOK);
  }

  [Symbol.dispose](): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#timer);
    closeSync(this.#fd);
  }

  #plan(delay: number): void {
    this.#timer = setTimeout(() => this.#plan(this.step() ? PAUSE : LOOK), delay).unref();
  }

  /** Looks at one range, when it is time for it. Returns whether there may be more. */
  step(): boolean {
    if (this.#at === undefined) {
      if (!this.#isTime()) return false;
      this.#forgetShrunk();
    }
    const range = this.#next(this.#at ?? 0);
    this.#at = range?.end;
    if (range === undefined) return false;
    this.#locked(() => this.#claims.claim(range));
    try {
      if (this.#make(range)) this.#done.add(range.start);
    } catch (error) {
      if (!(error instanceof Errno)) throw error;
      if (error.errno === EINVAL) this.#done.add(range.start);
      else this.#retry = performance.now() + LATER;
    } finally {
      this.#claims.release();
    }
    return true;
  }

  #isTime(): boolean {
    const { blocks } = fstatSync(this.#fd);
    const taken = (blocks - this.#seen) * 512;
    this.#seen = blocks;
    if (taken > FILLING) return false;
    const now = performance.now();
    if (blocks === this.#settled && !this.#claims.hasShrunk && now < this.#retry) return false;
    this.#settled = blocks;
    this.#retry = Number.POSITIVE_INFINITY;
    return true;
  }

  /** The next range with data in it that isn't done. */
  #next(from: number): Range | undefined {
    let start = hugeDown(dataFrom(this.#fd, from));
    while (this.#done.has(start)) start = hugeDown(dataFrom(this.#fd, start + HUGE_PAGE_SIZE));
    return start === Number.POSITIVE_INFINITY ? undefined : { start, end: start + HUGE_PAGE_SIZE };
  }

  /** Where pages were taken away, huge ones may have been split. */
  #forgetShrunk(): void {
    const shrunk = this.#locked(() => this.#claims.takeShrunk());
    if (shrunk === undefined) return;
    for (const start of this.#done) {
      if (start < shrunk.end && shrunk.start < start + HUGE_PAGE_SIZE) this.#done.delete(start);
    }
  }

  /** Makes a huge page of a range. Returns whether it is done with. Throws an Errno when another time may do. */
  #make({ start }: Range): boolean {
    const { place } = this.#state;
    return mappedHuge(this.#fd, start, (address) => {
      if (!isFull(address)) return false;
      // The pages of a lent file count as memory of who wrote them, and would count as this process's from then on.
      if (place === 'memfd' || isOwnMemory(address, HUGE_PAGE_SIZE)) collapse(address);
      return true;
    });
  }
}

/** Whether a range has all its pages in memory. */
function isFull(address: number): boolean {
  const pages = new Uint8Array(HUGE_PAGE_SIZE / PAGE_SIZE);
  mincore(address, HUGE_PAGE_SIZE, pages);
  return pages.every((page) => page & 1);
}
