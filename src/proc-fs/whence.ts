import { EINVAL, Errno } from '../sys/errno.ts';

/**
 * The five ways to seek. Source: lseek(2).
 *
 * @example
 * ```ts
 * lseek(file, offset, whence) {
 *   if (whence === Whence.SeekEnd) return bytes.length + offset;
 *   return whence === Whence.SeekCur ? file.pos + offset : offset;
 * }
 * ```
 */
export const Whence = {
  /** To the offset itself. */
  SeekSet: 0,
  /** To the present position plus the offset. */
  SeekCur: 1,
  /** To the end of the file plus the offset. */
  SeekEnd: 2,
  /** To the next data at or after the offset. */
  SeekData: 3,
  /** To the next hole at or after the offset; there is one at the end of every file. */
  SeekHole: 4,

  /** The variant that a raw `int` from a caller names. Throws EINVAL for any other number. */
  fromRaw(whence: number): Whence {
    switch (whence) {
      case 0:
      case 1:
      case 2:
      case 3:
      case 4:
        return whence;
      default:
        throw new Errno(EINVAL);
    }
  },
} as const;

/**
 * A way to seek, as one of the numbers of `Whence`.
 *
 * @example
 * ```ts
 * const isOfContent = (whence: Whence) => whence === Whence.SeekData || whence === Whence.SeekHole;
 * ```
 */
export type Whence = 0 | 1 | 2 | 3 | 4;
