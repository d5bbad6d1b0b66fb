import { EFBIG, EINVAL, EIO, ENOTTY, EOPNOTSUPP, Errno, ESPIPE } from './errno.ts';
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
} as const;

/** What poll(2) tells of a file that nobody waits for. Source: DEFAULT_POLLMASK, include/linux/poll.h. */
const DEFAULT_POLLMASK = 0x001 | 0x004 | 0x040 | 0x100;

/** A raw answer, as C gives it: a result of 0 or more, or an error number below 0. */
export type Raw = MaybePromise<number>;

/** The number that a raw answer has for what a handler threw. */
function errnoOf(error: unknown): number {
  if (error instanceof Errno) return -error.errno;
  console.error(error);
  return -EIO;
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
 * Offsets and sizes that don't fit 2^53 - 1 are EFBIG.
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
    if (!Number.isSafeInteger(offset + to.length)) return -EFBIG;
    if (this.handler.read === undefined) return -EIO;
    try {
      const count = this.handler.read(file, to, offset);
      if (typeof count !== 'number') return count.then((n) => counted(n, to.transferred)).catch(errnoOf);
      return counted(count, to.transferred);
    } catch (error) {
      return errnoOf(error);
    }
  }

  procWrite(file: ProcFile | undefined, from: UserSliceReader, offset: number): Raw {
    if (file === undefined) return -EINVAL;
    if (!Number.isSafeInteger(offset + from.length)) return -EFBIG;
    if (this.handler.write === undefined) return -EIO;
    const length = from.length;
    try {
      const count = this.handler.write(file, from, offset);
      if (typeof count !== 'number') return count.then((n) => counted(n, length)).catch(errnoOf);
      return counted(count, length);
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
        file.pos = position;
        return position;
      },
    );
  }

  procPoll(file: ProcFile | undefined, wake: () => void): Raw {
    if (file === undefined) return -EINVAL;
    return answer(() => this.handler.poll?.(file, wake) ?? DEFAULT_POLLMASK, same);
  }

  procIoctl(
    file: ProcFile | undefined,
    command: number,
    input: UserSliceReader,
    output: UserSliceWriter,
  ): Raw {
    if (file === undefined) return -EINVAL;
    return answer(() => this.handler.ioctl?.(file, command, input, output) ?? -ENOTTY, same);
  }

  procTruncate(size: number): Raw {
    if (!Number.isSafeInteger(size)) return -EFBIG;
    return answer(() => this.handler.truncate?.(size), none);
  }

  procFallocate(file: ProcFile | undefined, mode: number, offset: number, length: number): Raw {
    if (file === undefined) return -EINVAL;
    if (!Number.isSafeInteger(offset + length)) return -EFBIG;
    if (this.handler.fallocate === undefined) return -EOPNOTSUPP;
    return answer(() => this.handler.fallocate?.(file, mode, offset, length), none);
  }

  procFsync(file: ProcFile | undefined, dataOnly: boolean): Raw {
    if (file === undefined || this.handler.fsync === undefined) return -EINVAL;
    return answer(() => this.handler.fsync?.(file, dataOnly), none);
  }

  procCopyFileRange(from: number, to: number, length: number): Raw {
    if (!Number.isSafeInteger(from + length) || !Number.isSafeInteger(to + length)) return -EFBIG;
    return answer(() => this.handler.copyFileRange?.(from, to, length) ?? -EOPNOTSUPP, same);
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
    try {
      this.handler.setattr?.(change);
      return 0;
    } catch (error) {
      return errnoOf(error);
    }
  }
}

const same = (result: number): number => result;

/** A handler's count, unless it claims more than `most` bytes: those would be another request's. */
function counted(count: number, most: number): number {
  if (count >= 0 && count <= most) return count;
  return errnoOf(new RangeError(`A proc handler returned ${count} for a transfer of ${most} bytes.`));
}
