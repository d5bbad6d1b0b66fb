import { EFBIG, EINVAL, EIO, ENOTTY, EOPNOTSUPP, Errno, ESPIPE } from '../sys/errno.ts';
import { type Timespec, UTIME_NOW } from '../sys/time.ts';
import type { Attr, AttrChange, MaybePromise, ProcFile, ProcHandler } from './handler.ts';
import type { UserSliceReader, UserSliceWriter } from './user-slice.ts';
import { Whence } from './whence.ts';

/** Flags of ProcOps: the kernel's `proc_flags`. */
export const ProcFlag = {
  /** Writes within the file may run side by side: the handler locks for itself. */
  PARALLEL_WRITES: 1 << 0,
  /**
   * The kernel may answer reads from its page cache. Writes reach the handler all the same. When the program changes the
   * file by itself, it must say so: see `ProcDirEntry.changed`.
   */
  CACHED: 1 << 1,
  /** Requests and replies are overwritten once they are answered, where the handler runs in workers. */
  SECRET: 1 << 2,
} as const;

/** What poll(2) tells of a file that nobody waits for. Source: DEFAULT_POLLMASK, include/linux/poll.h. */
const DEFAULT_POLLMASK = 0x001 | 0x004 | 0x040 | 0x100;

/** A raw answer, as C gives it: a result of 0 or more, or an error number below 0. */
export type Raw = MaybePromise<number>;

/** The last number that is a caller's error. From ERESTARTSYS on the kernel's own begin, and it takes none of those. */
const LAST_ERRNO = 511;

/** The number that a raw answer has for what was thrown. Anything but an Errno is EIO, and its trace is logged. */
export function errnoOf(error: unknown): number {
  if (error instanceof Errno && error.errno > 0 && isWithin(error.errno, LAST_ERRNO)) return -error.errno;
  console.error(error);
  return -EIO;
}

/** Whether a number is whole, and from 0 to `most`. */
function isWithin(number: number, most: number): boolean {
  return number >= 0 && number <= most && Number.isInteger(number);
}

/** What is wrong with a range of a file: 0 for nothing, EINVAL before its start, EFBIG past 2^53 - 1. */
function rangeError(offset: number, length: number): number {
  if (!(offset >= 0 && length >= 0)) return -EINVAL;
  if (offset + length > Number.MAX_SAFE_INTEGER) return -EFBIG;
  return Number.isInteger(offset) && Number.isInteger(length) ? 0 : -EINVAL;
}

const U32_MAX = 2 ** 32 - 1;

/** What is wrong with a change of attributes: 0 for nothing, or EINVAL. Source: utimensat(2), for the times. */
export function changeError({ mode = 0, uid = 0, gid = 0, atime, mtime }: AttrChange): number {
  const right =
    isWithin(mode, 0o7777) &&
    isWithin(uid, U32_MAX) &&
    isWithin(gid, U32_MAX) &&
    isTime(atime) &&
    isTime(mtime);
  return right ? 0 : -EINVAL;
}

function isTime(time: Timespec | undefined): boolean {
  if (time === undefined) return true;
  return Number.isSafeInteger(time.sec) && (time.nsec === UTIME_NOW || isWithin(time.nsec, 999_999_999));
}

const none = (): number => 0;

/** The raw answer for a call into the handler; `raw` turns its result into a number. */
function answer<T>(call: () => MaybePromise<T>, raw: (result: T) => number): Raw {
  try {
    const result = call();
    return result instanceof Promise ? result.then(raw).catch(errnoOf) : raw(result);
  } catch (error) {
    return errnoOf(error);
  }
}

/**
 * A handler as the transports call it: the seed's `ProcOps`. Each entry takes raw arguments, checks them in order,
 * converts them, calls one typed function, and returns its result as a number or its error as a negative one.
 *
 * `file` is undefined when the transport knows no such open file: EINVAL, as for the seed's null pointer.
 * Offsets and sizes below 0 or not whole are EINVAL, and past 2^53 - 1 EFBIG.
 */
export class ProcOps {
  readonly handler: ProcHandler;
  readonly flags: number;

  /** `flags` are of `ProcFlag`. */
  constructor(handler: ProcHandler, flags = 0) {
    this.handler = handler;
    this.flags = flags;
  }

  procOpen(file: ProcFile): Raw {
    return answer(() => this.handler.open?.(file), none);
  }

  procRelease(file: ProcFile | undefined): Raw {
    if (file === undefined) return -EINVAL;
    return answer(() => this.handler.release?.(file), none);
  }

  procRead(file: ProcFile | undefined, to: UserSliceWriter, offset: number): Raw {
    if (file === undefined) return -EINVAL;
    const wrong = rangeError(offset, 0);
    if (wrong !== 0) return wrong;
    if (this.handler.read === undefined) return -EIO;
    // No file has bytes there: the read is short, as at any end. The kernel reads whole pages on behalf of a mapping.
    const most = Number.MAX_SAFE_INTEGER - offset;
    if (to.length > most) to.place(to.bytes, to.start, most);
    try {
      const count = this.handler.read(file, to, offset);
      if (typeof count !== 'number') return count.then((n) => checked(n, to.transferred)).catch(errnoOf);
      return checked(count, to.transferred);
    } catch (error) {
      return errnoOf(error);
    }
  }

  procWrite(file: ProcFile | undefined, from: UserSliceReader, offset: number): Raw {
    if (file === undefined) return -EINVAL;
    const wrong = rangeError(offset, from.length);
    if (wrong !== 0) return wrong;
    if (this.handler.write === undefined) return -EIO;
    const length = from.length;
    try {
      const count = this.handler.write(file, from, offset);
      if (typeof count !== 'number') return count.then((n) => checked(n, length)).catch(errnoOf);
      return checked(count, length);
    } catch (error) {
      return errnoOf(error);
    }
  }

  procLseek(file: ProcFile | undefined, offset: number, whence: number): Raw {
    if (file === undefined) return -EINVAL;
    if (this.handler.lseek === undefined) return -ESPIPE;
    return answer(
      () => {
        const way = Whence.fromRaw(whence);
        if (!Number.isSafeInteger(offset)) throw new Errno(offset < 0 ? EINVAL : EFBIG);
        return this.handler.lseek?.(file, offset, way) ?? 0;
      },
      (position) => {
        file.pos = checked(position, Number.MAX_SAFE_INTEGER);
        return file.pos;
      },
    );
  }

  procPoll(file: ProcFile | undefined, wake: () => void): Raw {
    if (file === undefined) return -EINVAL;
    return answer(() => this.handler.poll?.(file, wake) ?? DEFAULT_POLLMASK, upTo(U32_MAX));
  }

  procIoctl(
    file: ProcFile | undefined,
    command: number,
    input: UserSliceReader,
    output: UserSliceWriter,
  ): Raw {
    if (file === undefined) return -EINVAL;
    if (this.handler.ioctl === undefined) return -ENOTTY;
    if (!isWithin(command, U32_MAX)) return -EINVAL;
    return answer(() => this.handler.ioctl?.(file, command, input, output), upTo(2 ** 31 - 1));
  }

  procTruncate(size: number): Raw {
    const wrong = rangeError(size, 0);
    if (wrong !== 0) return wrong;
    return answer(() => this.handler.truncate?.(size), none);
  }

  procFallocate(file: ProcFile | undefined, mode: number, offset: number, length: number): Raw {
    if (file === undefined) return -EINVAL;
    const wrong = rangeError(offset, length);
    if (wrong !== 0) return wrong;
    if (this.handler.fallocate === undefined || !isWithin(mode, U32_MAX)) return -EOPNOTSUPP;
    return answer(() => this.handler.fallocate?.(file, mode, offset, length), none);
  }

  procFsync(file: ProcFile | undefined, dataOnly: boolean): Raw {
    if (file === undefined || this.handler.fsync === undefined) return -EINVAL;
    return answer(() => this.handler.fsync?.(file, dataOnly), none);
  }

  procCopyFileRange(from: number, to: number, length: number): Raw {
    const wrong = rangeError(from, length) || rangeError(to, length);
    if (wrong !== 0) return wrong;
    if (this.handler.copyFileRange === undefined) return -EOPNOTSUPP;
    return answer(() => this.handler.copyFileRange?.(from, to, length), upTo(length));
  }

  /** Whether the handler keeps the file's attributes itself; else its directory entry does. */
  get hasAttr(): boolean {
    return this.handler.getattr !== undefined;
  }

  procGetattr(): Attr | number {
    try {
      return this.handler.getattr?.() ?? -EIO;
    } catch (error) {
      return errnoOf(error);
    }
  }

  procSetattr(change: AttrChange): number {
    const wrong = changeError(change);
    if (wrong !== 0) return wrong;
    try {
      this.handler.setattr?.(change);
      return 0;
    } catch (error) {
      return errnoOf(error);
    }
  }

  /** A handler that fails at this keeps nobody from writing. */
  procKillPriv(): void {
    try {
      this.handler.killPriv?.();
    } catch (error) {
      errnoOf(error);
    }
  }
}

/** What a handler answered, unless it is no whole number from 0 to `most`: then it claims what can't be. */
function checked(answer: number | undefined, most: number): number {
  if (answer !== undefined && isWithin(answer, most)) return answer;
  throw new RangeError(`A proc handler answered ${answer}; it may answer 0 to ${most} here.`);
}

/** The same, for `answer`. */
function upTo(most: number): (answer: number | undefined) => number {
  return (answer) => checked(answer, most);
}
