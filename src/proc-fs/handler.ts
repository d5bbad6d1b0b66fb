import type { Timespec } from '../sys/time.ts';
import type { UserSliceReader, UserSliceWriter } from './user-slice.ts';
import type { Whence } from './whence.ts';

/** An answer now, or later: a handler on the program's event loop may be async. */
export type MaybePromise<T> = T | Promise<T>;

/** An open file: what the kernel's `struct file` is to a `proc_ops` function. */
export interface ProcFile {
  /** The flags of open(2), such as O_APPEND, as numbers of `fs.constants`. */
  flags: number;
  /** Who opened it: the effective user's number. Source: `f_cred`. */
  readonly uid: number;
  /** The file position, as far as `lseek` through ProcOps moved it. The kernel keeps the real one itself. */
  pos: number;
  /** Whatever `open` wants the file's later calls to find. Not kept for a handler with `shared`. */
  privateData: unknown;
}

/** What stat(2) tells of a file, without its kind. */
export interface Attr {
  /** Permission bits, 0 to 0o7777. */
  mode: number;
  uid: number;
  gid: number;
  /** Bytes. */
  size: number;
  /** Of 512 bytes each. */
  blocks: number;
  /** The size of a good read, in bytes. */
  blksize: number;
  atime: Timespec;
  mtime: Timespec;
  ctime: Timespec;
}

/** What chmod(2), chown(2) and utimensat(2) change. `nsec` may be UTIME_NOW. A missing member stays as it is. */
export interface AttrChange {
  mode?: number;
  uid?: number;
  gid?: number;
  atime?: Timespec;
  mtime?: Timespec;
}

/**
 * How other threads make a handler that works on the same data: the seed's `Send + Sync`.
 *
 * A worker imports `module` and calls its export `attach(state)`, which returns the ProcHandler.
 */
export interface SharedHandler {
  /** The URL of an ES module, usually `import.meta.url`. */
  readonly module: string;
  /** Anything that `structuredClone` and SharedArrayBuffer carry to another thread. */
  readonly state: unknown;
}

/**
 * The functions behind a file: the seed's `ProcHandler`, the kernel's `struct proc_ops`.
 *
 * Every member may be missing; what the file does then is said at the member, and is what a missing pointer means in
 * fs/proc/inode.c. A member answers its caller with an error by throwing an `Errno`. Anything else that it throws
 * is EIO to the caller, and a stack trace on standard error.
 *
 * Offsets and sizes are bytes, 0 to 2^53 - 1.
 */
export interface ProcHandler {
  /** Source: open(2). Missing: the open succeeds. */
  open?(file: ProcFile): MaybePromise<void>;

  /** Called once, when the last descriptor and mapping of an open file are gone. Missing: nothing happens. */
  release?(file: ProcFile): MaybePromise<void>;

  /** Fills `to` with the bytes at `offset`. Returns how many; 0 is the end. Source: pread(2). Missing: EIO. */
  read?(file: ProcFile, to: UserSliceWriter, offset: number): MaybePromise<number>;

  /** Takes the bytes of `from` to `offset`. Returns how many it took. Source: pwrite(2). Missing: EIO. */
  write?(file: ProcFile, from: UserSliceReader, offset: number): MaybePromise<number>;

  /**
   * Returns the position that `offset` and `whence` mean. `offset` may be negative for SeekCur and SeekEnd.
   * From a mount only SeekData and SeekHole arrive: the kernel answers the others from the size it knows.
   * Source: lseek(2). Missing: the file isn't seekable (ESPIPE).
   */
  lseek?(file: ProcFile, offset: number, whence: Whence): MaybePromise<number>;

  /**
   * Returns which events of poll(2) are there; calls `wake` later, once, when that has changed.
   * Missing: always ready to read and write (DEFAULT_POLLMASK).
   */
  poll?(file: ProcFile, wake: () => void): MaybePromise<number>;

  /**
   * `input` holds what `command` says the caller passes, `output` takes what it says the caller gets (_IOC_SIZE).
   * Returns what ioctl(2) returns, 0 to 2^31 - 1. Missing: ENOTTY.
   */
  ioctl?(
    file: ProcFile,
    command: number,
    input: UserSliceReader,
    output: UserSliceWriter,
  ): MaybePromise<number>;

  /** May the kernel map the file shared? Asked once, when its tree is mounted. Missing: no. */
  mmap?(): boolean;

  /** Makes the file `size` bytes long. Source: truncate(2). Missing: succeeds and changes nothing, as in /proc. */
  truncate?(size: number): MaybePromise<void>;

  /** `mode` is made of the FALLOC_FL bits. Source: fallocate(2). Missing: EOPNOTSUPP. */
  fallocate?(file: ProcFile, mode: number, offset: number, length: number): MaybePromise<void>;

  /** Source: fsync(2), and fdatasync(2) when `dataOnly`. Missing: EINVAL. */
  fsync?(file: ProcFile, dataOnly: boolean): MaybePromise<void>;

  /**
   * Copies within the file, between ranges that don't overlap. Returns how many bytes were copied, which may be fewer.
   * Source: copy_file_range(2). Missing: the kernel copies by reading and writing.
   */
  copyFileRange?(from: number, to: number, length: number): MaybePromise<number>;

  /** Source: stat(2). Missing: mode and owner as created or changed since, size 0, and times of its own, as in /proc. */
  getattr?(): Attr;

  /** Source: chmod(2), chown(2), utimensat(2). Missing: changes what a missing `getattr` tells. */
  setattr?(change: AttrChange): void;

  /**
   * Memory for the requests and replies of worker number `thread`, if the handler copies from and to there faster than
   * elsewhere. Asked once a worker. Missing, or too small, or undefined: the worker takes memory of its own.
   */
  scratch?(thread: number): Uint8Array | undefined;

  /**
   * A descriptor of a file that the kernel may read and write in the handler's place, so that `read` and `write` are
   * never called from a mount: FUSE passthrough. Needs CAP_SYS_ADMIN and Linux 6.9. Missing: the handler is called.
   */
  readonly backing?: number | undefined;

  /**
   * Takes the set-user-ID bit off the mode, and the set-group-ID bit of a file that its group may execute: somebody is
   * about to write who may not keep them. Source: file_remove_privs, should_remove_suid, fs/inode.c.
   * Missing: they stay, as in /proc.
   */
  killPriv?(): void;

  /** There when the handler may run in any thread. Missing: it runs on the event loop of the program that made it. */
  readonly shared?: SharedHandler;
}
