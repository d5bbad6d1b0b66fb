import { NOBODY } from '../../proc-fs/caller.ts';
import { forAllThreads } from '../../sys/clock.ts';
import { type Tracers, whomToTell } from '../tracers.ts';
import type { CountedRequests } from './counted-requests.ts';
import type { FuseNative, NativeRequest, OperationName } from './fuse-native.ts';
import { type Handlers, join64 } from './server.ts';

/** A request that isn't answered yet. */
interface Begun {
  readonly operation: string;
  readonly path: string;
  readonly details: Readonly<Record<string, number>>;
  readonly since: number;
}

const SIGNAL = 'fuse_native_signal_';

/** Counts the requests that are answered by an addon's functions, and tells of them. */
export class Tracer {
  readonly #begun = new Map<NativeRequest, Begun>();
  readonly #counted: CountedRequests;
  readonly #tracers: Tracers;

  constructor(counted: CountedRequests, tracers: Tracers) {
    this.#counted = counted;
    this.#tracers = tracers;
  }

  /** The same addon, by which handlers are to answer. */
  native(native: FuseNative): FuseNative {
    const traced = Object.create(native);
    for (const [name, signal] of Object.entries(native)) {
      if (!name.startsWith(SIGNAL)) continue;
      traced[name] = (request: NativeRequest, result: number, ...rest: unknown[]) => {
        this.#end(request, result);
        signal(request, result, ...rest);
      };
    }
    return traced;
  }

  /** The same handlers. */
  handlers(handlers: Handlers): Handlers {
    const traced = Object.entries(handlers).map(([name, handler]) => [
      name,
      (request: NativeRequest, ...args: unknown[]) => {
        this.#begun.set(request, begin(name as OperationName, args));
        (handler as (request: NativeRequest, ...args: unknown[]) => void)(request, ...args);
      },
    ]);
    return Object.fromEntries(traced);
  }

  #end(request: NativeRequest, result: number): void {
    const begun = this.#begun.get(request);
    this.#begun.delete(request);
    if (begun === undefined) return;
    const { operation, path, details, since } = begun;
    this.#counted.count(operation, path, result, since);
    const whom = whomToTell(this.#tracers.orders, { operation, path, result });
    if (whom.length === 0) return;
    const { uid, gid, tid } = NOBODY;
    const ms = performance.now() - since;
    const traced = { operation, path, uid, gid, tid, details, result, at: forAllThreads(since), ms };
    this.#tracers.tell(traced, whom);
  }
}

function begin(name: OperationName, args: readonly unknown[]): Begun {
  const [path, ...rest] = args;
  const since = performance.now();
  return {
    operation: name.toUpperCase(),
    path: typeof path === 'string' ? path : '',
    details: detailsOf(
      name,
      rest.map((one) => (typeof one === 'number' ? one : 0)),
    ),
    since,
  };
}

function detailsOf(name: OperationName, numbers: readonly number[]): Record<string, number> {
  const [first = 0, second = 0, third = 0, low = 0, high = 0] = numbers;
  switch (name) {
    case 'open':
      return { flags: first };
    case 'read':
    case 'write':
      return { size: third, offset: join64(low, high) };
    case 'truncate':
      return { size: join64(first, second) };
    case 'ftruncate':
      return { size: join64(second, third) };
    case 'chmod':
      return { mode: first };
    case 'chown':
      return { uid: first, gid: second };
    default:
      return {};
  }
}
