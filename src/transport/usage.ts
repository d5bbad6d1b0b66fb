/**
 * Memory in use and allowed: what df shows.
 *
 * @example
 * ```ts
 * const usage = (): Usage => ({ used: cache.pages, max: 1000, size: 4096 });
 * await mount(procRoot, '/tmp/my-proc', { usage });
 * ```
 */
export interface Usage {
  /** How many pages are in use. */
  readonly used: number;
  /** How many may be. */
  readonly max: number;
  /** The size of a page, in bytes. */
  readonly size: number;
}

/** What df shows of a tree that nobody counts: nothing, as for /proc. */
export const NO_USAGE: Usage = { used: 0, max: 0, size: 4096 };
