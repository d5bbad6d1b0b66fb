/** Memory in use and allowed, in pages of `size` bytes: what df shows. */
export interface Usage {
  readonly used: number;
  readonly max: number;
  readonly size: number;
}

/** What df shows of a tree that nobody counts: nothing, as for /proc. */
export const NO_USAGE: Usage = { used: 0, max: 0, size: 4096 };
