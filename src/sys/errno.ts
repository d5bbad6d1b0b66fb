import { constants } from 'node:os';
import { getSystemErrorMap } from 'node:util';

/** The kernel's error numbers, positive. Source: errno(3), through Node's own table for this platform. */
export const {
  EPERM,
  ENOENT,
  ESRCH,
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
  EPIPE,
  EDQUOT,
  ESPIPE,
  ENAMETOOLONG,
  ELOOP,
  ENOSYS,
  ENOTEMPTY,
  ENXIO,
  EOPNOTSUPP,
  ENOTCONN,
  ECANCELED,
  ECONNABORTED,
  ECONNREFUSED,
  EADDRINUSE,
  EPROTO,
} = constants.errno;

const meanings = getSystemErrorMap();
const names = new Map<number, string>(Object.entries(constants.errno).map(([name, errno]) => [errno, name]));

/** The number of an error's name. Throws a TypeError for one that is none. */
function numberOf(name: string): number {
  const errno: number | undefined = Object.entries(constants.errno).find(([one]) => one === name)?.[1];
  if (errno === undefined) throw new TypeError(`${JSON.stringify(name)} is no error's name: see errno(3).`);
  return errno;
}

/**
 * An error number as an exception: what a handler throws to answer its caller with that number.
 *
 * @example
 * ```ts
 * if (value > 100) throw new Errno('ERANGE');
 * ```
 */
export class Errno extends Error {
  /** Positive, as in errno(3). */
  readonly errno: number;
  /** Its name, such as `ENOSPC`. */
  readonly code: string;

  /**
   * @param errno Its number, or its name, as in errno(3). Throws a TypeError for a name that is none.
   * @param syscall The call that failed, for the message, where there was one.
   */
  constructor(errno: number | `E${string}`, syscall?: string) {
    const number = typeof errno === 'number' ? errno : numberOf(errno);
    const [code, meaning] = meanings.get(-number) ?? [names.get(number) ?? `errno ${number}`, 'see errno(3)'];
    super(`${syscall === undefined ? '' : `${syscall}: `}${code}, ${meaning}`);
    this.name = 'Errno';
    this.errno = number;
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
