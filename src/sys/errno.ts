import { constants } from 'node:os';
import { getSystemErrorMap } from 'node:util';

/** The kernel's error numbers, positive. Source: errno(3), through Node's own table for this platform. */
export const {
  EPERM,
  ENOENT,
  EINTR,
  EIO,
  EBADF,
  EAGAIN,
  ENOMEM,
  EACCES,
  EFAULT,
  EBUSY,
  EDEADLK,
  EEXIST,
  EXDEV,
  ENODEV,
  ENOTDIR,
  EISDIR,
  EINVAL,
  ENOTTY,
  EFBIG,
  ENOSPC,
  ESPIPE,
  ENAMETOOLONG,
  ELOOP,
  ENOSYS,
  ENOTEMPTY,
  ENXIO,
  EOPNOTSUPP,
  ENOTCONN,
  ECONNABORTED,
  ECONNREFUSED,
  EPROTO,
} = constants.errno;

const table = getSystemErrorMap();

/**
 * An error number as an exception: what a handler throws to answer its caller with that number.
 *
 * `syscall` names the call that failed, where there was one.
 */
export class Errno extends Error {
  /** Positive, as in errno(3). */
  readonly errno: number;
  /** Its name, such as `ENOSPC`. */
  readonly code: string;

  constructor(errno: number, syscall?: string) {
    const [code, meaning] = table.get(-errno) ?? [`errno ${errno}`, 'unknown error'];
    super(`${syscall === undefined ? '' : `${syscall}: `}${code}, ${meaning}`);
    this.name = 'Errno';
    this.errno = errno;
    this.code = code;
  }

  /** The error that one of Node's own system calls threw, as an Errno; anything else as it is. */
  static from(error: unknown): unknown {
    if (error instanceof Error && 'syscall' in error && 'errno' in error && typeof error.errno === 'number') {
      return new Errno(Math.abs(error.errno), String(error.syscall));
    }
    return error;
  }
}
