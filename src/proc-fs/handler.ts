import type { Timespec } from '../sys/time.ts';
import type { Caller } from './caller.ts';
import type { FileLock, LockCommand } from './lock.ts';
import type { UserSliceReader, UserSliceWriter } from './user-slice.ts';
import type { Whence } from './whence.ts';

/**
 * An answer now, or later: a handler on the program's event loop may be async.
 *
 * @example
 * ```ts
 * const now: MaybePromise<number> = 1;
 * const later: MaybePromise<number> = Promise.resolve(1);
 * ```
 */
export type MaybePromise<T> = T | Promise<T>;

/**
 * What a function answers that may also have no `return`.
 *
 * @example
 * ```ts
 * const read: () => OrNothing<number> = () => {}; // what was transferred counts
 * ```
 */
// biome-ignore lint/suspicious/noConfusingVoidType: that is its type.
export type OrNothing<T> = T | void;

/**
 * An open file: what the kernel's `struct file` is to a `proc_ops` function.
 *
 * @example
 * ```ts
 * procCreate('counter', 0o444, null, {
 *   open: () => ({ reads: 0 }),
 *   read({ privateData }: ProcFile<{ reads: number }>, to, offset) {
 *     if (offset === 0) simpleReadFromBuffer(to, 0, `${++privateData.reads}\n`);
 *   },
 * });
 * ```
 */
export interface ProcFile<P = unknown> {
  /** The flags of open(2), such as O_APPEND, as numbers of `fs.constants`, with what fcntl(2) has changed since. */
  flags: number;
  /** Who opened it: the effective user's number. Source: `f_cred`. */
  readonly uid: number;
  /** The file position, as far as `lseek` through ProcOps moved it. The kernel keeps the real one itself. */
  pos: number;
  /** What `open` returned, for the file's later calls. Not kept where the handler runs in workers. */
  privateData: P;
}

/**
 * What stat(2) tells of a file, without its kind.
 *
 * @example
 * ```ts
 * const now: Timespec = { sec: Math.floor(Date.now() / 1000), nsec: 0 };
 * const getattr = (): Attr => ({
 *   mode: 0o444, uid: 0, gid: 0, size: 6, blocks: 1, blksize: 4096, atime: now, mtime: now, ctime: now,
 * });
 * ```
 */
export interface Attr {
  /** Permission bits, 0 to 0o7777. */
  mode: number;
  /** The owner's number. */
  uid: number;
  /** The group's number. */
  gid: number;
  /** Bytes. */
  size: number;
  /** Of 512 bytes each. */
  blocks: number;
  /** The size of a good read, in bytes. */
  blksize: number;
  /** When it was last read. */
  atime: Timespec;
  /** When its bytes were last changed. */
  mtime: Timespec;
  /** When anything of it was last changed. */
  ctime: Timespec;
}

/**
 * What chmod(2), chown(2) and utimensat(2) change. `nsec` may be UTIME_NOW. A missing member stays as it is.
 *
 * @example
 * ```ts
 * function setattr({ mode }: AttrChange): void {
 *   if (mode === undefined) throw new Errno('EPERM');
 *   attr.mode = mode;
 * }
 * ```
 */
export interface AttrChange {
  /** Permission bits, 0 to 0o7777. */
  mode?: number;
  /** The owner's number. */
  uid?: number;
  /** The group's number. */
  gid?: number;
  /** When it was last read. */
  atime?: Timespec;
  /** When its bytes were last changed. */
  mtime?: Timespec;
}

/**
 * What a file does: the kernel's `struct proc_ops`, as functions with types. Where and how it runs is its Placement.
 *
 * Every member may be missing; what the file does then is said at the member, and is what a missing pointer means in
 * fs/proc/inode.c. A member answers its caller with an error by throwing an `Errno`, or an error of one of Node's own system
 * calls, which keeps its number. Anything else that it throws is EIO to the caller, and a stack trace on standard error.
 *
 * Offsets and sizes are bytes, 0 to 2^53 - 1. The last parameter of each says who asks. `P` is what `open` returns.
 *
 * @example
 * ```ts
 * const upper: ProcHandler<Uint8Array> = {
 *   open: () => new Uint8Array(4096),
 *   read: ({ privateData }, to, offset) => simpleReadFromBuffer(to, offset, privateData),
 *   write({ privateData }, from, offset) {
 *     privateData.set(from.readAll().map((byte) => (byte >= 97 && byte <= 122 ? byte - 32 : byte)), offset);
 *   },
 * };
 * procCreate('upper', 0o666, null, upper);
 * ```
 */
export interface ProcHandler<P = unknown> {
  /** What it returns is the file's `privateData` from then on. Source: open(2). Missing: the open succeeds. */
  open?(file: ProcFile<P>, caller: Caller): MaybePromise<OrNothing<P>>;

  /** Called once, when the last descriptor and mapping of an open file are gone. Missing: nothing happens. */
  release?(file: ProcFile<P>, caller: Caller): MaybePromise<void>;

  /**
   * Fills `to` with the bytes at `offset`. Returns how many, or nothing: then what `to` took counts. 0 is the end.
   * Source: pread(2). Missing: EIO.
   */
  read?(
    file: ProcFile<P>,
    to: UserSliceWriter,
    offset: number,
    caller: Caller,
  ): MaybePromise<OrNothing<number>>;

  /**
   * Takes the bytes of `from` to `offset`. Returns how many it took, or nothing: then what was read of `from` counts.
   * Source: pwrite(2). Missing: EIO.
   */
  write?(
    file: ProcFile<P>,
    from: UserSliceReader,
    offset: number,
    caller: Caller,
  ): MaybePromise<OrNothing<number>>;

  /**
   * Returns the position that `offset` and `whence` mean. `offset` may be negative for SeekCur and SeekEnd.
   * From a mount only SeekData and SeekHole arrive: the kernel answers the others from the size it knows.
   * Source: lseek(2). Missing: the file isn't seekable (ESPIPE).
   */
  lseek?(file: ProcFile<P>, offset: number, whence: Whence, caller: Caller): MaybePromise<number>;

  /**
   * Returns which events of poll(2) are there; calls `wake` later, once, when that has changed.
   * Missing: always ready to read and write (DEFAULT_POLLMASK).
   */
  poll?(file: ProcFile<P>, wake: () => void, caller: Caller): MaybePromise<number>;

  /**
   * `input` holds what `command` says the caller passes, `output` takes what it says the caller gets (_IOC_SIZE).
   * Returns what ioctl(2) returns, 0 to 2^31 - 1, or nothing for 0. Missing: ENOTTY.
   */
  ioctl?(
    file: ProcFile<P>,
    command: number,
    input: UserSliceReader,
    output: UserSliceWriter,
    caller: Caller,
  ): MaybePromise<OrNothing<number>>;

  /**
   * A lock of fcntl(2). For GETLK, returns the lock in the way, or nothing; else takes or lets go of `lock`, waiting for SETLKW until
   * `caller.signal` is aborted; EAGAIN. Asked where the mount wants `locks`. Source: fcntl(2), "Advisory record locking".
   * Missing: the locks are of this mount.
   */
  lock?(
    file: ProcFile<P>,
    command: LockCommand,
    lock: FileLock,
    caller: Caller,
  ): MaybePromise<OrNothing<FileLock>>;

  /** The same for flock(2), whose locks are of the open file: let go of at `release`. Missing: the locks are of this mount. */
  flock?(file: ProcFile<P>, command: LockCommand, lock: FileLock, caller: Caller): MaybePromise<void>;

  /**
   * A descriptor of an open file was closed, with which go the locks of fcntl(2) that `owner` has. Called where the mount wants
   * `locks`. Source: filp_flush, fs/open.c. Missing: nothing happens.
   */
  flush?(file: ProcFile<P>, owner: number, caller: Caller): MaybePromise<void>;

  /** Makes the file `size` bytes long. Source: truncate(2). Missing: succeeds and changes nothing, as in /proc. */
  truncate?(size: number, caller: Caller): MaybePromise<void>;

  /** `mode` is made of the FALLOC_FL bits. Source: fallocate(2). Missing: EOPNOTSUPP. */
  fallocate?(
    file: ProcFile<P>,
    mode: number,
    offset: number,
    length: number,
    caller: Caller,
  ): MaybePromise<void>;

  /** Source: fsync(2), and fdatasync(2) when `dataOnly`. Missing: EINVAL. */
  fsync?(file: ProcFile<P>, dataOnly: boolean, caller: Caller): MaybePromise<void>;

  /**
   * Copies within the file, between ranges that don't overlap. Returns how many bytes were copied, which may be fewer.
   * Source: copy_file_range(2). Missing: the kernel copies by reading and writing.
   */
  copyFileRange?(from: number, to: number, length: number, caller: Caller): MaybePromise<number>;

  /**
   * Source: stat(2). Missing: mode and owner as created or changed since, size 0, and times of its own, as in /proc. A file of
   * size 0 is read to its end all the same, by read(2) and its kin; splice(2) and sendfile(2) are EINVAL (over libfuse: empty), which
   * programs take for a file that they must read.
   */
  getattr?(caller: Caller): MaybePromise<Attr>;

  /** Source: chmod(2), chown(2), utimensat(2). Missing: changes what a missing `getattr` tells. */
  setattr?(change: AttrChange, caller: Caller): MaybePromise<void>;

  /**
   * Takes the set-user-ID bit off the mode, and the set-group-ID bit of a file that its group may execute: somebody is
   * about to write who may not keep them. Source: file_remove_privs, should_remove_suid, fs/inode.c.
   * Missing: they stay, as in /proc.
   *
   * @internal
   */
  killPriv?(): void;
}
