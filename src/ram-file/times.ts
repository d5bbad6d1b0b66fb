import { type BigIntStats, fchownSync, fstatSync } from 'node:fs';
import { futimens } from '../sys/memfd.ts';
import { type Timespec, UTIME_NOW, UTIME_OMIT } from '../sys/time.ts';

const OMIT: Timespec = { sec: 0, nsec: UTIME_OMIT };
/** As a time that is set: the present. */
export const NOW: Timespec = { sec: 0, nsec: UTIME_NOW };

/** Indexes of the numbers that all threads share. */
const ATIME_IS_OLD = 0;
const MTIME_IS_SET = 1;
const WRITTEN_MS = 2;
const ATIME_IS_SET = 3;
const ATIME_STAYS = 4;
const NUMBERS = 5;

/** What another thread needs to keep the same times. */
export interface TimesState {
  readonly numbers: SharedArrayBuffer;
}

/**
 * The times of a file, some of whose reads and writes the kernel doesn't see, since they are copies in a mapping. The file
 * itself keeps them; here is what it doesn't know yet, and what makes most of those copies cost no system call for it.
 *
 * All but `of` is to be called under the mutex that all threads share.
 */
export class Times {
  readonly state: TimesState;
  readonly #fd: number;
  readonly #numbers: Float64Array;

  constructor(fd: number, state: TimesState) {
    this.state = state;
    this.#fd = fd;
    this.#numbers = new Float64Array(state.numbers);
  }

  /** `atime`: whether reading moves it, as with relatime. */
  static allocate(atime: boolean): TimesState {
    const numbers = new SharedArrayBuffer(NUMBERS * Float64Array.BYTES_PER_ELEMENT);
    new Float64Array(numbers)[ATIME_STAYS] = atime ? 0 : 1;
    return { numbers };
  }

  /** Whether reading moves atime from now on. */
  set readsMove(atime: boolean) {
    this.#numbers[ATIME_STAYS] = atime ? 0 : 1;
  }

  /**
   * Whether the read that comes now moves atime, so that the kernel must make it. relatime, as on a tmpfs mounted with the
   * defaults: the first read after a change does, the others don't.
   */
  readMoves(): boolean {
    return this.#numbers[ATIME_IS_OLD] === 1 && this.#atimeMoves();
  }

  /**
   * Notes a write in the mapping, that the kernel doesn't see: the first after a stat is told to the file, exact and later
   * than what was told before; of those that follow only the millisecond is noted.
   */
  written(): void {
    this.#numbers[ATIME_IS_OLD] = 1;
    if (this.#numbers[MTIME_IS_SET] === 1) {
      this.#numbers[WRITTEN_MS] = Date.now();
    } else {
      setMtime(this.#fd, NOW);
      this.#numbers[MTIME_IS_SET] = 1;
    }
  }

  /** Before the kernel changes the file's times: hands it the one that it doesn't know yet, so that none goes back. */
  changing(): void {
    this.#numbers[ATIME_IS_OLD] = 1;
    if (this.#numbers[WRITTEN_MS] === 0) return;
    setMtime(this.#fd, this.of(fstatSync(this.#fd, { bigint: true })).mtime);
    this.#numbers[WRITTEN_MS] = 0;
  }

  /** Sets one time or both, and ctime to the present. */
  set(atime: Timespec | undefined, mtime: Timespec | undefined): void {
    this.changing();
    futimens(this.#fd, atime ?? OMIT, mtime ?? OMIT);
    this.#numbers[MTIME_IS_SET] = 0;
    if (atime !== undefined) this.#numbers[ATIME_IS_SET] = atime.nsec === UTIME_NOW ? 0 : 1;
  }

  /** Sets ctime to the present. */
  touch(): void {
    this.changing();
    fchownSync(this.#fd, -1, -1);
  }

  /** The times, of which `stat` has what the file knows. As bigints: a double can't hold nanoseconds since 1970. */
  of(stat: BigIntStats): { atime: Timespec; mtime: Timespec; ctime: Timespec } {
    this.#numbers[MTIME_IS_SET] = 0;
    const written = BigInt(this.#numbers[WRITTEN_MS] ?? 0) * 1_000_000n;
    // 0 is no time: one that was set may lie before 1970.
    const latest = (ns: bigint) => timespec(written === 0n || ns > written ? ns : written);
    return { atime: timespec(stat.atimeNs), mtime: latest(stat.mtimeNs), ctime: latest(stat.ctimeNs) };
  }

  /** Whether the first read after a change moves atime: always, unless a later time was set (relatime_need_update). */
  #atimeMoves(): boolean {
    this.#numbers[ATIME_IS_OLD] = 0;
    if (this.#numbers[ATIME_STAYS] === 1) return false;
    if (this.#numbers[ATIME_IS_SET] !== 1) return true;
    const { atimeMs, mtimeMs, ctimeMs } = fstatSync(this.#fd);
    const written = (this.#numbers[WRITTEN_MS] ?? 0) + 1;
    const moves = atimeMs <= Math.max(mtimeMs, ctimeMs, written);
    this.#numbers[ATIME_IS_SET] = moves ? 0 : 1;
    return moves;
  }
}

/** The mtime that a file itself has. */
export function mtimeOf(fd: number): Timespec {
  return timespec(fstatSync(fd, { bigint: true }).mtimeNs);
}

/** Sets a file's mtime, and its ctime to the present. */
export function setMtime(fd: number, mtime: Timespec): void {
  futimens(fd, OMIT, mtime);
}

function timespec(ns: bigint): Timespec {
  const nsec = ((ns % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  return { sec: Number((ns - nsec) / 1_000_000_000n), nsec: Number(nsec) };
}
