/**
 * How other threads make a file whose handler works on the same data: Rust's `Send + Sync`.
 *
 * A worker imports `module` and calls its export `attach(state)`, which returns the file's ProcOps.
 *
 * @example
 * ```ts
 * // counter.js, which both the program and its workers load
 * export const attach = (state: SharedArrayBuffer) => {
 *   const count = new Int32Array(state);
 *   const read: ProcHandler['read'] = (_file, to, offset) => {
 *     if (offset === 0) simpleReadFromBuffer(to, 0, `${Atomics.add(count, 0, 1)}\n`);
 *   };
 *   return new ProcOps({ read }, { shared: { module: import.meta.url, state } });
 * };
 * procCreate('counter', 0o444, null, attach(new SharedArrayBuffer(4)));
 * ```
 */
export interface SharedHandler {
  /** The URL of an ES module, usually `import.meta.url`. */
  readonly module: string;
  /** Anything that `structuredClone` and SharedArrayBuffer carry to another thread. */
  readonly state: unknown;
}

/**
 * Where and how a file is served, beside what it does, which is its ProcHandler. Everything may be missing.
 *
 * @example
 * ```ts
 * procCreate('manual', 0o444, null, new ProcOps(handler, { cached: true }));
 * ```
 */
export interface Placement {
  /** There when the handler may run in any thread. Missing: it runs on the event loop of the program that made it. */
  readonly shared?: SharedHandler | undefined;

  /**
   * The kernel may answer reads from its page cache. Writes reach the handler all the same. When the program changes the
   * file by itself, it must say so: see `ProcDirEntry.changed`. Default: each read and write reaches the handler, as in /proc.
   */
  readonly cached?: boolean | undefined;

  /** The kernel may map the file shared, which it keeps coherent with reads and writes. Default: no, ENODEV. */
  readonly mmap?: boolean | undefined;

  /** Writes within the file may run side by side: the handler locks for itself. Default: one after the other. */
  readonly parallelWrites?: boolean | undefined;

  /**
   * Each call ends by itself before long, and a signal ends none before, as on any regular file; but for what waits for a lock. Not where
   * the handler runs in workers, whom nothing interrupts. Default: the caller gets EINTR.
   */
  readonly uninterruptible?: boolean | undefined;

  /** Requests and replies are overwritten once they are answered, where the handler runs in workers. Default: no. */
  readonly secret?: boolean | undefined;

  /**
   * A descriptor of a file that the kernel may read and write in the handler's place, so that `read` and `write` are
   * never called from a mount: FUSE passthrough. Needs CAP_SYS_ADMIN and Linux 6.9. Default: the handler is called.
   */
  readonly backing?: number | undefined;

  /**
   * Memory for the requests and replies of worker number `thread`, if the handler copies from and to there faster than
   * elsewhere. Asked once a worker. Default, or too small, or undefined: the worker takes memory of its own.
   *
   * @internal
   */
  readonly scratch?: ((thread: number) => Uint8Array | undefined) | undefined;
}
