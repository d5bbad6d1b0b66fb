/**
 * Who makes a call, and how. It tells of this call only: do not keep it for a later one.
 *
 * Source: `struct fuse_in_header`; the kernel's `current` and its `file->f_flags`.
 *
 * @example
 * ```ts
 * procCreateSingle('whoami', 0o444, null, ({ uid, gid, pid }) => `user ${uid}, group ${gid}, process ${pid}\n`);
 * procCreateSingle('weather', 0o444, null, async ({ signal }) => (await fetch(url, { signal })).text());
 * ```
 */
export interface Caller {
  /** The effective user's number, as the user namespace of the mount has it. */
  readonly uid: number;
  /** The effective group's number. */
  readonly gid: number;
  /**
   * The number of the thread that calls, as this process's PID namespace has it; 0 where the kernel doesn't know, as for
   * pages that it writes back later, or for a caller outside of that namespace.
   */
  readonly tid: number;
  /** The number of its process: looked up in /proc when it is asked for. 0 where there is no `tid`, or nobody any more. */
  readonly pid: number;
  /** The flags of the open file as they are now, also those that fcntl(2) set, as numbers of `fs.constants`. 0 without one. */
  readonly flags: number;
  /** Whether the caller would rather have EAGAIN than wait: O_NONBLOCK in `flags`. */
  readonly nonblock: boolean;
  /**
   * Aborted when the caller is interrupted by a signal, or killed, or when the tree is unmounted: nobody waits for the answer any
   * more. Made when it is first asked for.
   */
  readonly signal: AbortSignal;
}

/**
 * A caller of whom nothing is known: the user whom the kernel shows in the place of one that it can't name (overflowuid,
 * proc_sys_kernel(5)), so that nobody is taken for more than they are. Its signal is never aborted.
 */
export const NOBODY: Caller = {
  uid: 65534,
  gid: 65534,
  tid: 0,
  pid: 0,
  flags: 0,
  nonblock: false,
  signal: new AbortController().signal,
};
