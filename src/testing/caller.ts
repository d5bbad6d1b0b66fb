/**
 * Who opens a file in a test. What isn't said is as of this process.
 *
 * @example
 * ```ts
 * await using file = await openEntry(root, 'level', { uid: 1000, flags: constants.O_RDONLY });
 * ```
 */
export interface TestCaller {
  /** The effective user's number. */
  readonly uid?: number | undefined;
  /** The effective group's number. */
  readonly gid?: number | undefined;
  /** The number of the thread that calls; the handler finds its process in /proc. Default: this process's main thread. */
  readonly tid?: number | undefined;
  /**
   * The flags of open(2), as numbers of `fs.constants`. Default: to read and write, as far as the file's mode lets the caller.
   */
  readonly flags?: number | undefined;
}
