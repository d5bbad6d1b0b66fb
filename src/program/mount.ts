import { isMainThread } from 'node:worker_threads';
import type { ProcDirEntry } from '../proc-fs/entries/entry.ts';
import { mountAt } from '../sys/mountinfo.ts';
import { KernelMount } from '../transport/kernel/main-thread/kernel-mount.ts';
import type { KernelMountOptions } from '../transport/kernel/main-thread/options.ts';
import type { Mount as TransportMount } from '../transport/mount.ts';
import { guard } from './guardian.ts';
import { beforeSignal } from './signals.ts';

/**
 * How a tree is mounted.
 *
 * @example
 * ```ts
 * await mount(procRoot, '/tmp/my-proc', { allowOther: true, trace: (event) => console.log(`${event}`) });
 * ```
 */
export interface TreeMountOptions extends KernelMountOptions {
  /**
   * Whether SIGINT, SIGTERM and SIGHUP unmount the tree before they end the program. Where the program has listeners of its
   * own for a signal, they decide. Default: true.
   */
  readonly signals?: boolean | undefined;
  /**
   * What serves the mount: the kernel's FUSE protocol, or libfuse 2 over the package fuse-native, which must be installed then and
   * is loaded when it is asked for. Default: `kernel`.
   */
  readonly transport?: 'kernel' | 'libfuse' | undefined;
}

/**
 * A tree that this program has mounted. It keeps the program alive, as a listening server does.
 *
 * @example
 * ```ts
 * const mounted: Mount = await mount(procRoot, '/tmp/my-proc');
 * mounted.unref(); // the program may end
 * await mounted.unmount();
 * await mounted.closed;
 * ```
 */
export interface Mount extends AsyncDisposable {
  /** The directory, as an absolute path. */
  readonly dir: string;
  /**
   * Resolves when the tree is unmounted, by whomever, and nothing of the mount is left. Rejects then if it had to be unmounted
   * because it couldn't go on being served.
   */
  readonly closed: Promise<void>;
  /**
   * Unmounts, and resolves when it is done. Unmounting a second time is no error. Rejects with a MountError, as when it is in use.
   *
   * @param how `lazy`: also when it is in use; what is open keeps working until it is closed, which isn't waited for. `force`: also
   * when it is in use, and then every call on it fails that is under way or comes later, with ENOTCONN.
   */
  unmount(how?: { readonly lazy?: boolean | undefined; readonly force?: boolean | undefined }): Promise<void>;
  /** Has the mount keep the program alive again. */
  ref(): void;
  /** Lets the program end when nothing else keeps it alive; that ends the mount. Over libfuse it does nothing. */
  unref(): void;
}

/**
 * Mounts a tree on a directory, which must be there and empty. When this resolves, clients can use it. Rejects with a MountError.
 *
 * The end of the program is the end of the mount, whatever ends it: process.exit(), an exception, a signal. Only SIGKILL leaves a dead
 * mount behind, unless `autoUnmount` was asked for.
 *
 * @example
 * ```ts
 * procCreate('hello', 0o444, null, { read: (_file, to, offset) => to.write(Buffer.from('hello\n').subarray(offset)) });
 * await using mounted = await mount(procRoot, '/tmp/my-proc');
 * await mounted.closed;
 * ```
 */
export async function mount(root: ProcDirEntry, dir: string, options: TreeMountOptions = {}): Promise<Mount> {
  const { signals = true, transport = 'kernel', ...rest } = options;
  const mounting =
    transport === 'kernel' ? KernelMount.mount(root, dir, rest) : mountByLibfuse(root, dir, rest);
  // From now on: the mount may be there before this knows.
  const ending = signals ? beforeSignal(() => mounting.then(detach, () => {})) : undefined;
  const mounted = await mounting.catch((error) => {
    ending?.[Symbol.dispose]();
    throw error;
  });
  // fusermount3 before 3.15 unmounts nothing of an ordinary user's that root may not look into.
  const device = isMainThread && !rest.autoUnmount ? undefined : mountAt(mounted.dir)?.device;
  const guarded = device === undefined ? undefined : guard(device);
  const closed = mounted.closed.finally(() => {
    ending?.[Symbol.dispose]();
    guarded?.[Symbol.dispose]();
  });
  let isClosed = false;
  const close = () => {
    isClosed = true;
  };
  closed.then(close, close);
  return {
    dir: mounted.dir,
    closed,
    async unmount({ lazy = false, force = false } = {}) {
      if (!isClosed) {
        if (force) mounted.abort();
        else mounted.unmount(lazy);
      }
      if (force || !lazy) await closed;
    },
    ref: () => mounted.keepAlive?.(true),
    unref: () => mounted.keepAlive?.(false),
    [Symbol.asyncDispose]: async () => {
      if (!isClosed) mounted.unmount(true);
    },
  };
}

/** The program is about to end, and tells nobody any more why that failed. */
function detach(mounted: TransportMount): void {
  try {
    mounted.unmount(true);
  } catch (error) {
    console.error(error);
  }
}

/** Loaded when it is asked for: it brings a library along. */
async function mountByLibfuse(
  root: ProcDirEntry,
  dir: string,
  options: TreeMountOptions,
): Promise<TransportMount> {
  const { LibfuseMount } = await import('../transport/libfuse/libfuse-mount.ts');
  return LibfuseMount.mount(root, dir, options);
}
