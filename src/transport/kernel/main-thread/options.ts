import type { MountOptions } from '../../../mount/options.ts';
import type { MaybePromise } from '../../../proc-fs/handler.ts';
import type { Trace } from '../../trace.ts';
import type { Usage } from '../../usage.ts';
import type { Wants } from '../../wants.ts';
import type { ChannelName } from '../channels.ts';

/**
 * How a tree is mounted over the kernel's FUSE protocol.
 *
 * @example
 * ```ts
 * await mount(procRoot, '/tmp/my-proc', { threads: 4, wants: { mmap: true } });
 * ```
 */
export interface KernelMountOptions extends MountOptions {
  /**
   * How many threads wait for requests, 1 or more, where there are files that are `shared`; else there is one, which watches that the event
   * loop takes them. Default: DEFAULT_THREADS. (0: see EventLoop, which is for the daemon alone.)
   */
  readonly threads?: number | undefined;
  /**
   * What requests come by: the mount's /dev/fuse (`device`), or io_uring (`uring`), with a queue for each processor: Linux 6.14, and the
   * parameter enable_uring of the module fuse. That is for files that are `shared`, and not secret: requests for others pass through one thread more
   * than without, and of those that wait for such a handler a thread holds 224 or a few more, behind whom others wait. `auto` takes /dev/fuse, which
   * is faster for one client. Rejects with a MountError where there is none. Default: auto.
   */
  readonly channel?: ChannelName | undefined;
  /** What df shows. Default: nothing in use and nothing allowed, as for /proc. */
  readonly usage?: (() => MaybePromise<Usage>) | undefined;
  /** What is agreed on with the kernel for good, for files that are added later. Default: what the tree's files need now. */
  readonly wants?: Partial<Wants> | undefined;
  /**
   * A file that each message between the kernel and this mount goes to, as recording.ts says; it is made anew. For
   * looking into what the kernel asks. Default: none.
   */
  readonly record?: string | undefined;
  /** The URL of what workers import before a handler's module that isn't of this package. Default: nothing. @internal */
  readonly hook?: string | undefined;
  /**
   * Whether the thread that makes the mount serves it alone, when all its files are `shared`, until there is a worker, which is started when
   * there is more to do: see `hire` of Mount. Default: no. @internal
   */
  readonly alone?: boolean | undefined;
  /** Called with each request once it is answered. Default: nobody is told. */
  readonly trace?: Trace | undefined;
}
