import { checkDevice } from '../../mount/access.ts';
import { MountError } from '../../mount/mount-error.ts';
import { type Claim, claim } from '../../mount/mount-point.ts';
import type { MountOptions } from '../../mount/options.ts';
import { unmountFuse } from '../../mount/unmount.ts';
import { NOBODY } from '../../proc-fs/caller.ts';
import type { ProcDirEntry } from '../../proc-fs/entries/entry.ts';
import type { MaybePromise } from '../../proc-fs/handler.ts';
import { atExit } from '../../sys/at-exit.ts';
import { quote } from '../../text/quote.ts';
import type { Mount } from '../mount.ts';
import type { MountStatistics } from '../statistics.ts';
import type { Trace } from '../trace.ts';
import { type TraceFilter, Tracers } from '../tracers.ts';
import { NO_USAGE, type Usage } from '../usage.ts';
import { type Libfuse, libfuse } from './addon.ts';
import { CountedRequests } from './counted-requests.ts';
import { mountNative, type NativeMount } from './native-mount.ts';
import { libfuseOptions } from './options.ts';
import { attributes } from './requests/attributes.ts';
import { directories } from './requests/directories.ts';
import { files } from './requests/files.ts';
import { refused } from './requests/refused.ts';
import { type Handlers, NativeTree } from './server.ts';
import { Tracer } from './tracer.ts';

export interface LibfuseMountOptions extends MountOptions {
  /** What df shows. Default: nothing in use and nothing allowed, as for /proc. */
  readonly usage?: (() => MaybePromise<Usage>) | undefined;
  /** Called with each request once it is answered. Default: nobody is told. */
  readonly trace?: Trace | undefined;
}

/**
 * A tree of proc entries, mounted over the npm package fuse-native: libfuse 2.9. For Linux on x86-64.
 *
 * libfuse's threads read the requests, and each waits until this thread has answered it. The entries of ProcOps are the
 * same as for the kernel transport, and all of them are called here, also those of handlers that are `shared`. A handler
 * may take its time: other requests are served meanwhile.
 *
 * What clients see otherwise than over the kernel transport, and why:
 *
 * - SEEK_DATA and SEEK_HOLE find no holes: the whole file counts as data. fallocate is EOPNOTSUPP, an ioctl ENOTTY, poll
 *   always says ready, copy_file_range is done by reading and writing. libfuse 2.9 or fuse-native doesn't know these requests,
 *   and the kernel does without.
 * - A shared mapping is ENODEV: mapping files under direct I/O has to be agreed on in a way that libfuse 2.9 doesn't know.
 * - renameat2 with flags is EINVAL, where it would be ENOENT or EPERM: the same.
 * - utimensat sets whole milliseconds, rounded down: fuse-native hands on no more. With UTIME_OMIT for one of the times it
 *   sets neither, and succeeds: libfuse asks file systems that don't say they understand it to set both or none.
 * - A request has at most 128 KiB: a longer read or write is several, and others may come between. Writers of one file
 *   wait for each other in the kernel, and all requests for this one thread.
 * - Of a file that is removed while it is open, fstat, fchmod, fchown and futimens are ENOENT: libfuse has only its path for
 *   them. When another takes its name, they tell of that one.
 * - Set-user-ID and set-group-ID bits go with any write, also one by root, and `uid` of a ProcFile is 65534: fuse-native
 *   doesn't say who asks.
 * - Who waits for a handler can't be interrupted, not even by SIGKILL, until it has answered: libfuse hands on no interrupts
 *   that fuse-native would hear of.
 * - A name that isn't UTF-8 is looked for with U+FFFD in the place of what is wrong: fuse-native decodes paths so.
 * - df shows at most 2^32 - 1 pages.
 *
 * And what it costs the program: libfuse keeps ten threads for bursts, and of each one that it starts beyond them, fuse-native
 * keeps half a kilobyte and a handle of the event loop for good. Each mount leaves a little more than that. Only the main
 * thread can mount. A path may have 1,023 bytes.
 */
export class LibfuseMount implements Mount {
  readonly dir: string;
  readonly closed: Promise<void>;
  readonly #ready: Promise<void>;
  readonly #native: NativeMount;
  readonly #counted = new CountedRequests();
  readonly #tracers = new Tracers();

  /**
   * Mounts `root` on `dir`. When this resolves, clients can use it. What a program left mounted there that is dead is
   * replaced, with a notice. Throws MountError, also when something is mounted there, or being mounted.
   */
  static async mount(root: ProcDirEntry, dir: string, options: LibfuseMountOptions): Promise<LibfuseMount> {
    using claimed = await claim(dir, options);
    return await LibfuseMount.mountOn(claimed, root, options);
  }

  /** The same on a directory that the caller has claimed. @internal */
  static async mountOn(
    { dir }: Claim,
    root: ProcDirEntry,
    options: LibfuseMountOptions,
  ): Promise<LibfuseMount> {
    const lib = libfuse();
    checkDevice();
    const mount = new LibfuseMount(lib, root, dir, options);
    const early = mount.closed.then(() => {
      throw new MountError(`Cannot mount on ${quote(dir)}: somebody unmounted it at once.`);
    });
    await Promise.race([mount.#ready, early]);
    return mount;
  }

  private constructor(lib: Libfuse, root: ProcDirEntry, dir: string, options: LibfuseMountOptions) {
    const tracer = new Tracer(this.#counted, this.#tracers);
    if (options.trace !== undefined) this.trace(options.trace);
    const native = tracer.native(lib.native);
    const server = new NativeTree(native, root, options.usage ?? (() => NO_USAGE));
    let ready = () => {};
    this.#ready = new Promise((resolve) => {
      ready = resolve;
    });
    const handlers: Handlers = {
      ...attributes(server),
      ...files(server),
      ...directories(server),
      ...refused(server),
      init(request) {
        server.answer(request, 0);
        ready();
      },
    };
    this.#native = mountNative(lib, dir, libfuseOptions(options), tracer.handlers(handlers));
    this.dir = dir;
    // The kernel drops what waits to be sent when the last mount goes, releases among it (fuse_abort_conn).
    const exit = atExit(() => this.#detach());
    this.closed = this.#native.ended.then(async () => {
      exit[Symbol.dispose]();
      await Promise.all(server.files.takeAll().map(({ ops, file }) => ops.procRelease(file, NOBODY)));
    });
  }

  get connected(): boolean {
    return this.#native.connected;
  }

  statistics(): MountStatistics {
    return this.#counted.statistics();
  }

  trace(trace: Trace, filter?: TraceFilter, room?: Int32Array): Disposable {
    return this.#tracers.add(trace, filter, room);
  }

  unmount(lazy: boolean): void {
    const { connected, identity } = this.#native;
    // Without the connection its numbers can be another mount's.
    if (connected && identity !== undefined) unmountFuse(identity, { lazy });
  }

  abort(): void {
    const { connected, identity } = this.#native;
    if (connected && identity !== undefined) unmountFuse(identity, { lazy: true, cut: true });
  }

  #detach(): void {
    try {
      this.unmount(true);
    } catch (error) {
      console.error(error);
    }
  }
}
