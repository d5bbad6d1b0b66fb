/**
 * The types of what is used of fuse-native 2.2.6: its addon, which brings libfuse 2.9 to JavaScript. See `addon.ts` for how
 * it is loaded, and why without the package's class. Source: fuse-native.c and index.js of the package.
 */

/**
 * A request that a thread of libfuse waits with: the addon's `fuse_thread_locals_t`, in memory from `allocate`. It is
 * answered once, by the function of its name; then the thread goes on, and the same memory is its next request.
 */
export type NativeRequest = Buffer;

/** What the addon calls its handlers with, behind the request and the number of its operation. */
export interface Arguments {
  init: [];
  statfs: [path: string];
  getattr: [path: string];
  fgetattr: [path: string, fh: number];
  open: [path: string, flags: number];
  release: [path: string, fh: number];
  /** `bytes` is memory of libfuse, there until the answer. 64-bit numbers come as two halves. */
  read: [path: string, fh: number, bytes: Buffer, length: number, offsetLow: number, offsetHigh: number];
  write: [path: string, fh: number, bytes: Buffer, length: number, offsetLow: number, offsetHigh: number];
  fsync: [path: string, dataOnly: number, fh: number];
  readdir: [path: string];
  readlink: [path: string];
  truncate: [path: string, sizeLow: number, sizeHigh: number];
  ftruncate: [path: string, fh: number, sizeLow: number, sizeHigh: number];
  /** The time of access comes twice, in halves, and that of modification not at all. */
  utimens: [path: string, ...milliseconds: number[]];
  chown: [path: string, uid: number, gid: number];
  chmod: [path: string, mode: number];
  listxattr: [path: string, list: Buffer];
  create: [path: string, mode: number];
  mknod: [path: string, mode: number, device: number];
  mkdir: [path: string, mode: number];
  symlink: [target: string, path: string];
  link: [path: string, newPath: string];
  unlink: [path: string];
  rmdir: [path: string];
  rename: [path: string, newPath: string];
}

export type OperationName = keyof Arguments;

export type NativeHandler = (request: NativeRequest, operation: number, ...args: never[]) => void;

/** The numbers of operations: indexes into the tables that `fuse_native_mount` takes. */
type OperationNumbers = { readonly [N in OperationName as `op_${N}`]: number };

export interface FuseNative extends OperationNumbers {
  /** Of `fuse_thread_t`, the addon's memory of a mount, in bytes. */
  readonly sizeof_fuse_thread_t: number;

  /**
   * Mounts, and starts libfuse's threads. Returns when the mount is there; `init` is called when the kernel has agreed.
   * Throws an Error without a reason when it fails: libfuse writes the reason to standard error.
   *
   * `thread` must not be collected for as long as the process lives, nor what `allocate` returns: libuv keeps both in
   * its lists. `self` is the `this` of calls, and is kept for good. `implemented` is not 0 where there is a handler.
   */
  fuse_native_mount(
    dir: string,
    options: string,
    thread: Uint8Array,
    self: object,
    allocate: (size: number) => NativeRequest,
    handlers: readonly NativeHandler[],
    implemented: Uint32Array,
  ): void;

  /** Lets the process end: from now on the mount doesn't keep its event loop alive. It unmounts nothing. */
  fuse_native_unmount(dir: string, thread: Uint8Array): void;

  /** Answers any request that hands on no memory of libfuse: `result` is 0, or a negative error number. */
  fuse_native_signal_init(request: NativeRequest, result: number): void;
  /** `fh` is 1 to 2^31 - 1. */
  fuse_native_signal_open(request: NativeRequest, result: number, fh: number): void;
  /** `result` is the count, or a negative error number. `memory` is taken away from JavaScript. */
  fuse_native_signal_read(
    request: NativeRequest,
    result: number,
    count: number,
    memory: ArrayBufferLike,
  ): void;
  fuse_native_signal_write(
    request: NativeRequest,
    result: number,
    count: number,
    memory: ArrayBufferLike,
  ): void;
  /** `statfs` has the members of `struct statvfs`, 32 bits each. */
  fuse_native_signal_statfs(request: NativeRequest, result: number, statfs: Uint32Array): void;
  /** `stats` are as index.js makes them, one for each name. */
  fuse_native_signal_readdir(
    request: NativeRequest,
    result: number,
    names: readonly string[],
    stats: readonly Uint32Array[],
  ): void;
  /** `target` is cut off at 4096 bytes, its NUL included. */
  fuse_native_signal_readlink(request: NativeRequest, result: number, target: string): void;
  fuse_native_signal_listxattr(request: NativeRequest, result: number, memory: ArrayBufferLike): void;
}
