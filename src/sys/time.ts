/** A timespec: whole seconds since 1970, and 0 to 999,999,999 nanoseconds, or UTIME_NOW, or UTIME_OMIT. */
export interface Timespec {
  readonly sec: number;
  readonly nsec: number;
}

/** Source: utimensat(2). In a timespec's tv_nsec: the present time, and: leave it. */
export const UTIME_NOW = 0x3fffffff;
export const UTIME_OMIT = 0x3ffffffe;
