import type { ProcDirEntry } from '../../proc-fs/proc-dir-entry.ts';
import type { Raw } from '../../proc-fs/proc-ops.ts';
import { EIO } from '../../sys/errno.ts';
import type { Usage } from '../usage.ts';
import type { Arguments, FuseNative, NativeRequest, OperationName } from './fuse-native.ts';
import { OpenFiles } from './open-files.ts';

/** How requests of some kinds are served. Each is answered once, now or later. */
export type Handlers<N extends OperationName = OperationName> = {
  readonly [K in N]: (request: NativeRequest, ...args: Arguments[K]) => void;
};

/** What the handlers of all requests work on. */
export class NativeTree {
  readonly native: FuseNative;
  readonly root: ProcDirEntry;
  readonly usage: () => Usage;
  readonly files = new OpenFiles();

  constructor(native: FuseNative, root: ProcDirEntry, usage: () => Usage) {
    this.native = native;
    this.root = root;
    this.usage = usage;
  }

  /** The entry that stands at a path from the root of the mount, such as `/` or `/a/b`. */
  entry(path: string): ProcDirEntry | undefined {
    let entry: ProcDirEntry | undefined = this.root;
    for (const name of path.split('/')) if (name !== '') entry = entry?.child(name);
    return entry;
  }

  /** Answers a request with 0 or a negative error number. Not for one that hands on libfuse's memory. */
  answer(request: NativeRequest, result: number): void {
    this.native.fuse_native_signal_init(request, result);
  }

  /** The same, when the result is there. */
  answerRaw(request: NativeRequest, raw: Raw): void {
    settle(raw, (result) => this.answer(request, result));
  }
}

/** Passes a raw answer on, at once if it is there: the client waits. */
export function settle(raw: Raw, use: (result: number) => void): void {
  if (typeof raw === 'number') use(raw);
  else
    raw.then(use, (error: unknown) => {
      console.error(error);
      use(-EIO);
    });
}

/** A number of 64 bits from its halves. From 2^53 on it is rounded, and never to less than 2^53. */
export function join64(low: number, high: number): number {
  return high * 2 ** 32 + low;
}
