import { NOBODY } from '../../proc-fs/caller.ts';
import type { ProcDirEntry } from '../../proc-fs/entries/entry.ts';
import type { MaybePromise } from '../../proc-fs/handler.ts';
import { isLater, whenThere } from '../../proc-fs/later.ts';
import { answer, errnoOf, type Raw } from '../../proc-fs/proc-ops.ts';
import { ENOENT } from '../../sys/errno.ts';
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
  readonly usage: () => MaybePromise<Usage>;
  readonly files = new OpenFiles();

  constructor(native: FuseNative, root: ProcDirEntry, usage: () => MaybePromise<Usage>) {
    this.native = native;
    this.root = root;
    this.usage = usage;
  }

  /** The entry that stands at a path from the root of the mount, such as `/` or `/a/b`. Throws what DirOps throw. */
  entry(path: string): MaybePromise<ProcDirEntry | undefined> {
    const names = path.split('/').filter((name) => name !== '');
    const below = (
      entry: ProcDirEntry | undefined,
      depth: number,
    ): MaybePromise<ProcDirEntry | undefined> => {
      const name = names[depth];
      if (entry === undefined || name === undefined) return entry;
      return whenThere(entry.lookup(name, NOBODY), (found) => below(found, depth + 1));
    };
    return below(this.root, 0);
  }

  /** `use` of the entry at a path; the request is answered here when there is none. */
  onEntry(request: NativeRequest, path: string, use: (entry: ProcDirEntry) => void): void {
    const found = answer<ProcDirEntry | undefined, ProcDirEntry | number>(
      () => this.entry(path),
      (entry) => entry ?? -ENOENT,
    );
    settle(found, (entry) => {
      if (typeof entry === 'number') this.answer(request, entry);
      else use(entry);
    });
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

/** Passes an answer on, at once if it is there: the client waits. */
export function settle<T>(answer: MaybePromise<T>, use: (result: T | number) => void): void {
  if (isLater(answer)) answer.catch(errnoOf).then(use);
  else use(answer);
}

/** A number of 64 bits from its halves. From 2^53 on it is rounded, and never to less than 2^53. */
export function join64(low: number, high: number): number {
  return high * 2 ** 32 + low;
}
