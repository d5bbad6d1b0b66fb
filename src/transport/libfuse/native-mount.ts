import { closeSync } from 'node:fs';
import { saidByFusermount } from '../../mount/fusermount.ts';
import { identify, type MountIdentity } from '../../mount/identity.ts';
import { MountError } from '../../mount/mount-error.ts';
import { closeOnExec, duplicate } from '../../sys/descriptor.ts';
import { EIO } from '../../sys/errno.ts';
import { captureStderr } from '../../sys/stderr.ts';
import { join } from '../../sys/thread.ts';
import { hungUp, isHungUp, mountGone } from '../../sys/watch.ts';
import { quote } from '../../text/quote.ts';
import type { Libfuse } from './addon.ts';
import type { FuseNative, NativeHandler, NativeRequest, OperationName } from './fuse-native.ts';
import { nativeThread } from './layout.ts';
import type { Handlers } from './server.ts';

/** The size of the table of operations in fuse-native.c. */
const OPERATIONS = 35;

/** The addon cuts what it takes as a path or as options off here, in bytes. */
const MAX_TEXT = 1023;

/** A mount that libfuse serves. */
export interface NativeMount {
  /** Resolves when it is unmounted, nobody has a file of it open, and libfuse's threads have ended. */
  readonly ended: Promise<void>;
  /** Whether the kernel still has it. */
  readonly connected: boolean;
  /** Which it is; undefined when somebody unmounted it at once. */
  readonly identity: MountIdentity | undefined;
}

/**
 * Mounts on `dir`, an absolute path without symbolic links. The handlers are called as soon as this thread is free.
 * Throws a MountError with what libfuse or fusermount had to say.
 */
export function mountNative(
  { native, descriptorOf, unmount }: Libfuse,
  dir: string,
  options: string,
  handlers: Handlers,
): NativeMount {
  if (Math.max(Buffer.byteLength(dir), Buffer.byteLength(options)) > MAX_TEXT) {
    throw failure(dir, `fuse-native takes paths and options of up to ${MAX_TEXT} bytes`);
  }
  const thread = Buffer.alloc(nativeThread.size);
  const requests: NativeRequest[] = [];
  const allocate = (size: number) => {
    const request = Buffer.alloc(size);
    requests.push(request);
    return request;
  };
  const { table, implemented, drop } = tables(native, handlers);
  let error: unknown;
  const said = captureStderr(() => {
    try {
      // The addon keeps its `this` for good, and so the memory that libuv will go on to have in its lists.
      native.fuse_native_mount(dir, options, thread, { thread, requests }, allocate, table, implemented);
    } catch (thrown) {
      error = thrown;
    }
  });
  const { ch, thread: pthread } = nativeThread.at(new DataView(thread.buffer, thread.byteOffset), 0);
  if (error !== undefined) {
    // It was mounted, and then libfuse refused to serve it.
    if (ch !== 0) {
      unmount(dir, ch);
      native.fuse_native_unmount(dir, thread);
    }
    throw failure(dir, sentence(said, dir), error);
  }
  process.stderr.write(said);
  // libfuse can't have ended already: it waits for `init` to be answered.
  const fd = descriptorOf(ch);
  closeOnExec(fd);
  const identity = identify(fd, dir);
  const connection = duplicate(fd);
  let closed = false;
  return {
    ended: end(),
    identity,
    get connected() {
      return !closed && !isHungUp(connection);
    },
  };

  /**
   * libfuse says nothing when it ends, and so it is watched. First the mount, then the connection, which goes on for as
   * long as somebody has a file open: watching that from the start would wake this thread at every request.
   */
  async function end(): Promise<void> {
    if (identity !== undefined) await mountGone(identity.device, connection);
    await hungUp(connection);
    closed = true;
    closeSync(connection);
    await join(pthread);
    native.fuse_native_unmount(dir, thread);
    drop();
  }
}

function failure(dir: string, why: string, cause?: unknown): MountError {
  return new MountError(`Cannot mount on ${quote(dir)}: ${why}.`, { cause });
}

/** The last line of what libfuse or fusermount said, as the end of a sentence. */
function sentence(said: string, dir: string): string {
  const why = saidByFusermount(said.replaceAll(dir, quote(dir)));
  return /failed to exec fusermount/.test(why)
    ? 'fusermount is missing; an ordinary user needs it: "apt install fuse3", or the like'
    : why;
}

/**
 * The handlers as the addon takes them. It never lets go of the functions in its table; after `drop` these hold no more
 * than themselves. A mistake of ours is EIO and a stack trace.
 */
function tables(native: FuseNative, all: Handlers) {
  let handlers: Handlers | undefined = all;
  const table: NativeHandler[] = new Array(OPERATIONS - 1);
  const implemented = new Uint32Array(OPERATIONS);
  for (const name of Object.keys(all) as OperationName[]) {
    const number = native[`op_${name}`];
    implemented[number] = 1;
    table[number] = (request, _operation, ...args) => {
      try {
        (handlers?.[name] as NativeHandler | undefined)?.call(handlers, request, ...(args as [never]));
      } catch (error) {
        console.error(error);
        native.fuse_native_signal_init(request, -EIO);
      }
    };
  }
  return {
    table,
    implemented,
    drop: () => {
      handlers = undefined;
    },
  };
}
