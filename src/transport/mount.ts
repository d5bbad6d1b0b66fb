import type { MountStatistics } from './statistics.ts';
import type { Trace } from './trace.ts';
import type { TraceFilter } from './tracers.ts';

/** A mounted tree, whatever serves it. */
export interface Mount {
  /** The directory that it is mounted on, as an absolute path. */
  readonly dir: string;
  /**
   * Resolves when the file system is unmounted, by whomever, and nothing of the mount is left. Rejects then if it had to be
   * unmounted because it couldn't go on being served.
   */
  readonly closed: Promise<void>;
  /**
   * Whether it is still mounted, anywhere: also in another mount namespace, by a bind mount, or as what somebody has open. The
   * end is known as soon as the last umount(2) has returned.
   */
  readonly connected: boolean;
  /**
   * Unmounts this mount and no other, wherever it is by now; once it is gone, does nothing. `lazy`: also when it is in use;
   * what is open then keeps working until it is closed. Throws a MountError: when it is in use, and when another mount lies
   * over it, hides it or is in it.
   */
  unmount(lazy: boolean): void;
  /** Unmounts, and has every call on it fail that is under way or comes later, whoever has it in use. Throws a MountError. */
  abort(): void;
  /** What clients have asked so far. */
  statistics(): MountStatistics;
  /**
   * Calls `trace` with each request that the filter lets through, once it is answered and as long as there is room, until the answer is
   * disposed. Default: with all.
   */
  trace(trace: Trace, filter?: TraceFilter, room?: Int32Array): Disposable;
  /** Has workers serve it from now on, if it has none yet. Resolves when they do, or when there can't be any. */
  hire?(): Promise<void>;
  /** Whether it keeps the program's event loop alive, if that can be chosen. Default: it does. */
  keepAlive?(keep: boolean): void;
}
