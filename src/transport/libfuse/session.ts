import { realpathSync, statSync } from 'node:fs';
import { ENOTDIR, Errno } from '../../abi/errno.ts';
import type { ProcDirEntry } from '../../proc-fs/proc-dir-entry.ts';
import { checkDevice, MountError, type MountOptions, quote, reason, unmountFuse } from '../mount.ts';
import type { Session } from '../session.ts';
import { NO_USAGE, type Usage } from '../usage.ts';
import { type Libfuse, libfuse } from './addon.ts';
import { mountNative } from './native-mount.ts';
import { libfuseOptions } from './options.ts';
import { attributes } from './requests/attributes.ts';
import { directories } from './requests/directories.ts';
import { files } from './requests/files.ts';
import { refused } from './requests/refused.ts';
import { TreeServer } from './server.ts';

export interface LibfuseSessionOptions extends MountOptions {
  /** What df shows. Default: nothing in use and nothing allowed, as for /proc. */
  readonly usage?: (() => Usage) | undefined;
}

/**
 * A tree of proc entries, mounted over the npm package fuse-native: libfuse 2.9.
 *
 * libfuse's threads read the requests, and each waits until this thread has answered it. The entries of ProcOps are the
 * same as for the kernel transport, and all of them are called here, also those of handlers that are `shared`.
 */
export class LibfuseSession implements Session {
  readonly dir: string;
  readonly closed: Promise<void>;
  readonly #ready: Promise<void>;

  /** Mounts `root` on `dir`. When this resolves, clients can use it. Throws MountError. */
  static async mount(
    root: ProcDirEntry,
    dir: string,
    options: LibfuseSessionOptions,
  ): Promise<LibfuseSession> {
    const lib = libfuse();
    checkDevice();
    const session = new LibfuseSession(lib, root, resolve(dir), options);
    const early = session.closed.then(() => {
      throw new MountError(`Cannot mount on ${quote(dir)}: somebody unmounted it at once.`);
    });
    await Promise.race([session.#ready, early]);
    return session;
  }

  private constructor(lib: Libfuse, root: ProcDirEntry, dir: string, options: LibfuseSessionOptions) {
    const server = new TreeServer(lib.native, root, options.usage ?? (() => NO_USAGE));
    let ready = () => {};
    this.#ready = new Promise((resolve) => {
      ready = resolve;
    });
    const { ended } = mountNative(lib, dir, libfuseOptions(options), {
      ...attributes(server),
      ...files(server),
      ...directories(server),
      ...refused(server),
      init(request) {
        server.answer(request, 0);
        ready();
      },
    });
    this.dir = dir;
    // The kernel drops what waits to be sent when the last mount goes, releases among it (fuse_abort_conn).
    this.closed = ended.then(async () => {
      await Promise.all(server.files.takeAll().map(({ ops, file }) => ops.procRelease(file)));
    });
  }

  unmount(lazy: boolean): void {
    unmountFuse(this.dir, lazy);
  }
}

/** A directory's path as /proc/mounts will have it. libfuse would mount on a file as well. */
function resolve(dir: string): string {
  try {
    const path = realpathSync(dir);
    if (!statSync(path).isDirectory()) throw new Errno(ENOTDIR);
    return path;
  } catch (error) {
    throw new MountError(`Cannot mount on ${quote(dir)}: ${reason(error)}.`, { cause: error });
  }
}
