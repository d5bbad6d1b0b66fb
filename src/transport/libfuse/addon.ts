import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { isMainThread } from 'node:worker_threads';
import koffi, { type LibraryHandle } from 'koffi';
import { lacks } from '../../mount/lacks.ts';
import { MountError } from '../../mount/mount-error.ts';
import { ownRequire } from '../../sys/own-module.ts';
import { reason } from '../../text/reason.ts';
import type { FuseNative } from './fuse-native.ts';
import { nativeThread } from './layout.ts';

/** libfuse 2's soname. */
const LIBFUSE = 'libfuse.so.2';

/** The architecture whose C structs `layout.ts` has, and the only one for which fuse-native ships a build for Linux. */
const ARCHITECTURE = 'x64';

/** fuse-native's addon, and the functions of libfuse 2.9 that the transport calls itself. */
export interface Libfuse {
  readonly native: FuseNative;
  /** The descriptor of /dev/fuse behind a `struct fuse_chan`. Source: fuse_lowlevel.h. */
  readonly descriptorOf: (chan: number) => number;
  /** Unmounts, closes the descriptor, and frees the channel. Source: fuse_common.h. */
  readonly unmount: (dir: string, chan: number) => void;
}

let loaded: Libfuse | undefined;

/**
 * Loads libfuse 2 and fuse-native, once in a process. Throws a MountError that says what is missing.
 *
 * Only the package's addon is loaded, not its class Fuse: that one answers for a handler that takes longer than 15 s,
 * unmounts by a shell command, lists no attribute as 128 bytes of them, and keeps to itself the requests, in which the
 * addon knows more than it hands on.
 */
export function libfuse(): Libfuse {
  try {
    loaded ??= load();
    return loaded;
  } catch (error) {
    const [why] = reason(error).split('\n');
    throw new MountError(`Cannot serve by libfuse: ${why}; ${lacks.fuseNative.remedy}.`, {
      cause: error,
    });
  }
}

function load(): Libfuse {
  // The addon calls its handlers on libuv's default loop.
  if (!isMainThread) throw new Error('fuse-native works on the main thread only');
  if (process.platform !== 'linux' || process.arch !== ARCHITECTURE) {
    throw new Error(`fuse-native has no build for ${process.platform} on ${process.arch}`);
  }
  const path = installed();
  const theirs = createRequire(path);
  const library = loadLibrary(theirs);
  const native: FuseNative = theirs('node-gyp-build')(dirname(path));
  if (native.sizeof_fuse_thread_t !== nativeThread.size) {
    throw new Error('this is not the fuse-native 2.2.6 that it was written for');
  }
  return {
    native,
    descriptorOf: library.func('fuse_chan_fd', 'int', ['uintptr_t']),
    unmount: library.func('fuse_unmount', 'void', ['str', 'uintptr_t']),
  };
}

/** Where the package is: an optional one, which npm leaves out where it can't be built. */
function installed(): string {
  try {
    return ownRequire().resolve('fuse-native');
  } catch (error) {
    throw new Error(lacks.fuseNative.why, { cause: error });
  }
}

/**
 * The machine's own libfuse 2, or else the copy that one of fuse-native's dependencies carries. Once a library of that
 * name is there for all, the dynamic linker takes it for the addon's and looks no further.
 */
function loadLibrary(theirs: NodeJS.Require): LibraryHandle {
  try {
    return koffi.load(LIBFUSE, { global: true });
  } catch {
    return koffi.load(theirs('fuse-shared-library').lib, { global: true });
  }
}
