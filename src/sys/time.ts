/**
 * A point in time. Source: timespec(3).
 *
 * @example
 * ```ts
 * const now: Timespec = { sec: Math.floor(Date.now() / 1000), nsec: (Date.now() % 1000) * 1e6 };
 * ```
 */
export interface Timespec {
  /** Whole seconds since 1970. */
  readonly sec: number;
  /** Nanoseconds, 0 to 999,999,999, or UTIME_NOW. */
  readonly nsec: number;
}

/**
 * The present time, in the place of nanoseconds. Source: utimensat(2).
 *
 * @example
 * ```ts
 * const given = ({ mtime }: AttrChange) => (mtime?.nsec === UTIME_NOW ? Date.now() : (mtime?.sec ?? 0) * 1000);
 * ```
 */
export const UTIME_NOW = 0x3fffffff;
/** Leave it, in the same place. */
export const UTIME_OMIT = 0x3ffffffe;
