import { constants } from 'node:fs';
import { EFBIG, EINTR, EINVAL, EIO, ENOTTY, ENXIO, EOPNOTSUPP, Errno, ESPIPE } from '../sys/errno.ts';
import { type Timespec, UTIME_NOW } from '../sys/time.ts';
import type { Caller } from './caller.ts';
import type { Attr, AttrChange, MaybePromise, OrNothing, ProcFile, ProcHandler } from './handler.ts';
import { isLater } from './later.ts';
import { LocalLocks } from './local-locks.ts';
import { type FileLock, type HeldLock, type LockCommand, LockType } from './lock.ts';
import type { Placement } from './placement.ts';
import { released, whenReleased } from './released.ts';
import type { UserSliceReader, UserSliceWriter } from './user-slice.ts';
import { Whence } from './whence.ts';

/** What poll(2) tells of a file that nobody waits for. Source: DEFAULT_POLLMASK, include/linux/poll.h. */
const DEFAULT_POLLMASK = 0x001 | 0x004 | 0x040 | 0x100;

/** A raw answer, as C gives it: a result of 0 or more, or an error number below 0. */
export type Raw = MaybePromise<number>;

/** The last number that is a caller's error. From ERESTARTSYS on the kernel's own begin, and it takes none of those. */
const LAST_ERRNO = 511;

/**
 * The number that a raw answer has for what was thrown: that of an Errno, or of an error of Node's own system calls; EINTR for
 * what was aborted by its caller's signal. Anything else is EIO, and its trace is logged.
 */
export function errnoOf(error: unknown): number {
  if (error instanceof Error && error.name === 'AbortError') return -EINTR;
  const errno = Errno.from(error);
  if (errno instanceof Errno && errno.errno > 0 && isWithin(errno.errno, LAST_ERRNO)) return -errno.errno;
  console.error(error);
  return -EIO;
}

/** Whether a number is whole, and from 0 to `most`. */
function isWithin(number: number, most: number): boolean {
  return number >= 0 && number <= most && Number.isInteger(number);
}

/** What is wrong with a range of a file: 0 for nothing, EINVAL before its start, EFBIG past 2^53 - 1. */
export function rangeError(offset: number, length: number): number {
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

/** The raw answer of who has nothing to answer. A negative number is what C would return. */
export function none(result: unknown): number {
  if (typeof result === 'number' && result < 0)
    throw new RangeError(
      `A proc handler returned ${result}, where an error is thrown: throw new Errno(${-result}).`,
    );
  return 0;
}

/** The raw answer for a call into the handler; `raw` turns its result into a number, or into what is asked for. */
export function answer<T, R = number>(
  call: () => MaybePromise<T>,
  raw: (result: T) => R,
): MaybePromise<R | number> {
  try {
    const result = call();
    return isLater(result) ? Promise.resolve(result).then(raw).catch(errnoOf) : raw(result);
  } catch (error) {
    return errnoOf(error);
  }
}

/**
 * A file: what it does, and where it runs. The transports call it here. Each entry takes raw arguments, checks them in order,
 * converts them, calls one typed function of the handler, and returns its result as a number or its error as a negative one.
 *
 * `file` is undefined when the transport knows no such open file: EINVAL, as for a null pointer in the kernel module.
 * Offsets and sizes below 0 or not whole are EINVAL, and past 2^53 - 1 EFBIG; where lseek looks for data, below 0 is ENXIO.
 *
 * @example
 * ```ts
 * procCreate('manual', 0o444, null, new ProcOps(handler, { cached: true }));
 * ```
 */
export class ProcOps {
  /** What the file does. */
  readonly handler: ProcHandler;
  /** Where and how it runs. */
  readonly placement: Placement;
  /** Where the handler has none and the mount wants them. */
  readonly #locks = new LocalLocks();
  /** Whether it has no end of its own, as files of /proc, and is served where what is open is known. @internal */
  readonly isEndless: boolean;
  /** The last write that is still under way, where writes are made one after the other. Never rejects. */
  #writing: Promise<number> | undefined;

  /** `placement` is where and how the file runs. Default: on the program's event loop, as a file of /proc. */
  constructor(handler: ProcHandler, placement: Placement = {}) {
    this.handler = handler;
    this.placement = placement;
    const { shared, cached = false } = placement;
    this.isEndless = handler.getattr === undefined && shared === undefined && !cached;
  }

  /** @internal */
  procOpen(file: ProcFile, caller: Caller): Raw {
    return answer(
      () => this.handler.open?.(file, caller),
      (data) => {
        if (data !== undefined) file.privateData = data;
        return 0;
      },
    );
  }

  /** @internal */
  procRelease(file: ProcFile | undefined, caller: Caller): Raw {
    if (file === undefined) return -EINVAL;
    released(file);
    return answer(() => this.handler.release?.(file, caller), none);
  }

  /** @internal */
  procRead(file: ProcFile | undefined, to: UserSliceWriter, offset: number, caller: Caller): Raw {
    if (file === undefined) return -EINVAL;
    if (!(Number.isSafeInteger(offset) && offset >= 0 && offset + to.length <= Number.MAX_SAFE_INTEGER)) {
      const wrong = rangeError(offset, 0);
      if (wrong !== 0) return wrong;
      // No file has bytes there: the read is short, as at any end. The kernel reads whole pages on behalf of a mapping.
      to.place(to.bytes, to.start, Number.MAX_SAFE_INTEGER - offset);
    }
    if (this.handler.read === undefined) return -EIO;
    try {
      const count = this.handler.read(file, to, offset, caller);
      if (isLater(count))
        return Promise.resolve(count)
          .then((n) => checkedRead(n, to))
          .catch(errnoOf);
      return count === to.transferred ? count : checkedRead(count, to);
    } catch (error) {
      return errnoOf(error);
    }
  }

  /** @internal */
  procWrite(file: ProcFile | undefined, from: UserSliceReader, offset: number, caller: Caller): Raw {
    if (file === undefined) return -EINVAL;
    if (!(Number.isSafeInteger(offset) && offset >= 0 && offset + from.length <= Number.MAX_SAFE_INTEGER)) {
      const wrong = rangeError(offset, from.length);
      if (wrong !== 0) return wrong;
    }
    if (this.handler.write === undefined) return -EIO;
    const answer =
      this.#writing === undefined
        ? this.#write(file, from, offset, caller)
        : this.#writeAfter(this.#writing, file, from, offset, caller);
    if (typeof answer !== 'number' && !this.placement.parallelWrites) {
      this.#writing = answer;
      answer.then(() => {
        if (this.#writing === answer) this.#writing = undefined;
      });
    }
    return answer;
  }

  /** A write that is put in line behind another is not made when its caller was interrupted meanwhile. */
  #writeAfter(
    last: Promise<number>,
    file: ProcFile,
    from: UserSliceReader,
    offset: number,
    caller: Caller,
  ): Promise<number> {
    const { signal } = caller;
    return last.then(() => (signal.aborted ? -EINTR : this.#write(file, from, offset, caller)));
  }

  #write(file: ProcFile, from: UserSliceReader, offset: number, caller: Caller): Raw {
    if (this.isEndless && (file.flags & constants.O_APPEND) !== 0) return this.#append(file, from, caller);
    try {
      const count = this.handler.write?.(file, from, offset, caller);
      if (isLater(count))
        return Promise.resolve(count)
          .then((n) => checkedWrite(n, from))
          .catch(errnoOf);
      return count === from.transferred ? count : checkedWrite(count, from);
    } catch (error) {
      return errnoOf(error);
    }
  }

  /**
   * The kernel appends where the last write ended, whoever wrote it (fuse_write_update_attr); a file of /proc has no end, and each
   * who opened it writes from its start on.
   */
  #append(file: ProcFile, from: UserSliceReader, caller: Caller): Raw {
    return answer(
      () => this.handler.write?.(file, from, file.pos, caller),
      (count) => {
        const written = checkedWrite(count, from);
        file.pos += written;
        return written;
      },
    );
  }

  /** @internal */
  procLseek(file: ProcFile | undefined, offset: number, whence: number, caller: Caller): Raw {
    if (file === undefined) return -EINVAL;
    if (this.handler.lseek === undefined) return -ESPIPE;
    return answer(
      () => {
        const way = Whence.fromRaw(whence);
        // What is before the start has no data after it either: as on tmpfs, whatever the number.
        if (offset < 0 && (way === Whence.SeekData || way === Whence.SeekHole)) throw new Errno(ENXIO);
        if (!Number.isSafeInteger(offset)) throw new Errno(offset < 0 ? EINVAL : EFBIG);
        return this.handler.lseek?.(file, offset, way, caller);
      },
      (position) => {
        file.pos = checked(position, Number.MAX_SAFE_INTEGER);
        return file.pos;
      },
    );
  }

  /** @internal */
  procPoll(file: ProcFile | undefined, wake: () => void, caller: Caller): Raw {
    if (file === undefined) return -EINVAL;
    return answer(() => this.handler.poll?.(file, wake, caller) ?? DEFAULT_POLLMASK, upTo(U32_MAX));
  }

  /** @internal */
  procIoctl(
    file: ProcFile | undefined,
    command: number,
    input: UserSliceReader,
    output: UserSliceWriter,
    caller: Caller,
  ): Raw {
    if (file === undefined) return -EINVAL;
    if (this.handler.ioctl === undefined) return -ENOTTY;
    if (!isWithin(command, U32_MAX)) return -EINVAL;
    return answer(
      () => this.handler.ioctl?.(file, command, input, output, caller),
      (result) => checked(result ?? 0, 2 ** 31 - 1),
    );
  }

  /** The lock that was had or is in the way, or a negative error number. @internal */
  procLock(
    file: ProcFile | undefined,
    kind: HeldLock['kind'],
    command: LockCommand,
    lock: FileLock,
    caller: Caller,
  ): MaybePromise<FileLock | number> {
    if (file === undefined) return -EINVAL;
    const { handler } = this;
    const own = kind === 'flock' ? handler.flock?.bind(handler) : handler.lock?.bind(handler);
    if (own === undefined) {
      if (kind === 'flock') whenReleased(file, () => this.#locks.drop(lock.owner));
      return answer<FileLock, FileLock>(
        () => this.#locks.lock(kind, command, lock, caller),
        (found) => found,
      );
    }
    return answer<OrNothing<FileLock>, FileLock>(
      () => own(file, command, lock, caller),
      (found) => found ?? { ...lock, type: LockType.NONE },
    );
  }

  /** @internal */
  procFlush(file: ProcFile | undefined, owner: number, caller: Caller): Raw {
    if (file === undefined) return -EINVAL;
    if (this.handler.lock === undefined) this.#locks.drop(owner);
    return answer(() => this.handler.flush?.(file, owner, caller), none);
  }

  /** @internal */
  procTruncate(size: number, caller: Caller): Raw {
    const wrong = rangeError(size, 0);
    if (wrong !== 0) return wrong;
    return answer(() => this.handler.truncate?.(size, caller), none);
  }

  /** @internal */
  procFallocate(
    file: ProcFile | undefined,
    mode: number,
    offset: number,
    length: number,
    caller: Caller,
  ): Raw {
    if (file === undefined) return -EINVAL;
    const wrong = rangeError(offset, length);
    if (wrong !== 0) return wrong;
    if (this.handler.fallocate === undefined || !isWithin(mode, U32_MAX)) return -EOPNOTSUPP;
    return answer(() => this.handler.fallocate?.(file, mode, offset, length, caller), none);
  }

  /** @internal */
  procFsync(file: ProcFile | undefined, dataOnly: boolean, caller: Caller): Raw {
    if (file === undefined || this.handler.fsync === undefined) return -EINVAL;
    return answer(() => this.handler.fsync?.(file, dataOnly, caller), none);
  }

  /** @internal */
  procCopyFileRange(from: number, to: number, length: number, caller: Caller): Raw {
    const wrong = rangeError(from, length) || rangeError(to, length);
    if (wrong !== 0) return wrong;
    if (this.handler.copyFileRange === undefined) return -EOPNOTSUPP;
    return answer(() => this.handler.copyFileRange?.(from, to, length, caller), upTo(length));
  }

  /** Whether the handler keeps the file's attributes itself; else its directory entry does. @internal */
  get hasAttr(): boolean {
    return this.handler.getattr !== undefined;
  }

  /** What stat(2) tells, or a negative error number. @internal */
  procGetattr(caller: Caller): MaybePromise<Attr | number> {
    try {
      const attr = this.handler.getattr?.(caller);
      return isLater(attr) ? Promise.resolve(attr).catch(errnoOf) : (attr ?? -EIO);
    } catch (error) {
      return errnoOf(error);
    }
  }

  /** @internal */
  procSetattr(change: AttrChange, caller: Caller): Raw {
    const wrong = changeError(change);
    if (wrong !== 0) return wrong;
    return answer(() => this.handler.setattr?.(change, caller), none);
  }

  /** A handler that fails at this keeps nobody from writing. @internal */
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

/** A read's count: what the handler says, which can't be more than what it wrote, or what it wrote. */
function checkedRead(count: OrNothing<number>, to: UserSliceWriter): number {
  if (count === undefined) return to.transferred;
  if (count === 0 && to.transferred > 0) throw miscounted('read', to.transferred);
  return checked(count, to.transferred);
}

/** A write's count: what the handler says, which can't be more than there was, or what it took. */
function checkedWrite(count: OrNothing<number>, from: UserSliceReader): number {
  if (count === undefined) return from.transferred;
  if (count === 0 && from.transferred > 0) throw miscounted('write', from.transferred);
  return checked(count, from.length);
}

/** A caller would try again for ever: echo(1) at a write of 0 bytes, and cat(1) would see an end where there is none. */
function miscounted(what: string, transferred: number): RangeError {
  return new RangeError(
    `A proc handler's ${what} transferred ${transferred} bytes and answered 0; return nothing, and what was transferred counts.`,
  );
}
