/** The kernel's FUSE interface, as numbers. Source: include/uapi/linux/fuse.h, version 7.45. */

export const FUSE_KERNEL_VERSION = 7;
export const FUSE_KERNEL_MINOR_VERSION = 45;
export const FUSE_ROOT_ID = 1;

/** All that the kernel can ask of a mount, also what we leave unanswered: ENOSYS. */
export const Opcode = {
  LOOKUP: 1,
  FORGET: 2,
  GETATTR: 3,
  SETATTR: 4,
  READLINK: 5,
  SYMLINK: 6,
  MKNOD: 8,
  MKDIR: 9,
  UNLINK: 10,
  RMDIR: 11,
  RENAME: 12,
  LINK: 13,
  OPEN: 14,
  READ: 15,
  WRITE: 16,
  STATFS: 17,
  RELEASE: 18,
  FSYNC: 20,
  SETXATTR: 21,
  GETXATTR: 22,
  LISTXATTR: 23,
  REMOVEXATTR: 24,
  FLUSH: 25,
  INIT: 26,
  OPENDIR: 27,
  READDIR: 28,
  RELEASEDIR: 29,
  FSYNCDIR: 30,
  GETLK: 31,
  SETLK: 32,
  SETLKW: 33,
  ACCESS: 34,
  CREATE: 35,
  INTERRUPT: 36,
  BMAP: 37,
  DESTROY: 38,
  IOCTL: 39,
  POLL: 40,
  NOTIFY_REPLY: 41,
  BATCH_FORGET: 42,
  FALLOCATE: 43,
  READDIRPLUS: 44,
  RENAME2: 45,
  LSEEK: 46,
  COPY_FILE_RANGE: 47,
  SETUPMAPPING: 48,
  REMOVEMAPPING: 49,
  SYNCFS: 50,
  TMPFILE: 51,
  STATX: 52,
  COPY_FILE_RANGE_64: 53,
} as const;

/** What INIT agrees on: `flags` of fuse_init_in and fuse_init_out. */
export const InitFlag = {
  ASYNC_READ: 1 << 0,
  POSIX_LOCKS: 1 << 1,
  BIG_WRITES: 1 << 5,
  FLOCK_LOCKS: 1 << 10,
  HAS_IOCTL_DIR: 1 << 11,
  ASYNC_DIO: 1 << 15,
  PARALLEL_DIROPS: 1 << 18,
  MAX_PAGES: 1 << 22,
  EXPLICIT_INVAL_DATA: 1 << 25,
  INIT_EXT: 1 << 30,
} as const;

/** The same, bits 32 to 63: `flags2`. */
export const InitFlag2 = {
  DIRECT_IO_ALLOW_MMAP: 1 << (36 - 32),
  PASSTHROUGH: 1 << (37 - 32),
  OVER_IO_URING: 1 << (41 - 32),
} as const;

/** `open_flags` of fuse_open_out. */
export const FopenFlag = {
  DIRECT_IO: 1 << 0,
  KEEP_CACHE: 1 << 1,
  NONSEEKABLE: 1 << 2,
  PARALLEL_DIRECT_WRITES: 1 << 6,
  PASSTHROUGH: 1 << 7,
} as const;

/** `valid` of fuse_setattr_in. */
export const FattrFlag = {
  MODE: 1 << 0,
  UID: 1 << 1,
  GID: 1 << 2,
  SIZE: 1 << 3,
  ATIME: 1 << 4,
  MTIME: 1 << 5,
  FH: 1 << 6,
  ATIME_NOW: 1 << 7,
  MTIME_NOW: 1 << 8,
} as const;

/** `getattr_flags` of fuse_getattr_in: `fh` is an open file, which lseek(2) looks for the end of (fuse_do_getattr). */
export const FUSE_GETATTR_FH = 1 << 0;

/** `read_flags` of fuse_read_in: a client reads, and not the page cache (fuse_send_read; fuse_read_args_fill has none). */
export const FUSE_READ_LOCKOWNER = 1 << 1;

/** `write_flags` of fuse_write_in: the page cache writes back, and not a client. */
export const FUSE_WRITE_CACHE = 1 << 0;

/** `write_flags` of fuse_write_in: whoever writes may not keep the set-user-ID and set-group-ID bits. */
export const FUSE_WRITE_KILL_SUIDGID = 1 << 2;
/** `lk_flags` of fuse_lk_in: flock(2), and not fcntl(2). */
export const FUSE_LK_FLOCK = 1 << 0;
export const FUSE_FSYNC_FDATASYNC = 1 << 0;
export const FUSE_POLL_SCHEDULE_NOTIFY = 1 << 0;

/** _IOW(229, 1, struct fuse_backing_map): lends the kernel a file. The answer is its backing id. */
export const FUSE_DEV_IOC_BACKING_OPEN = 0x4010e501;
/** _IOW(229, 2, uint32_t): takes one back, by its backing id. */
export const FUSE_DEV_IOC_BACKING_CLOSE = 0x4004e502;

export const NotifyCode = {
  POLL: 1,
  INVAL_INODE: 2,
  INVAL_ENTRY: 3,
  STORE: 4,
  RETRIEVE: 5,
} as const;
