import { type Trace, type Traced, tell } from './trace.ts';

/** Which requests somebody wants to know of: those of which all is true that is said. Plain, for it goes to other threads. */
export interface TraceFilter {
  /** Their operations, one of these. */
  readonly operations?: readonly string[] | undefined;
  /** The file that they are on, or the directory with all that is below. */
  readonly path?: string | undefined;
  /** That they were answered with an error. */
  readonly failed?: boolean | undefined;
}

/** Somebody who wants to know of requests, as each thread that answers some must know it. */
export interface TraceOrder {
  readonly id: number;
  readonly filter: TraceFilter;
  /** See allocateRoom. Undefined: he is told of all. */
  readonly room: Int32Array | undefined;
}

/** Indexes of a room's numbers. */
const LEFT = 0;
const MISSED = 1;

/** How many more requests somebody may be told of, shared by threads, who tell of none beyond: it is counted that it was missed. */
export function allocateRoom(requests: number): Int32Array {
  const room = new Int32Array(new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT));
  room[LEFT] = requests;
  return room;
}

/** He may be told of so many more. */
export function giveRoom(room: Int32Array, requests: number): void {
  Atomics.add(room, LEFT, requests);
}

/** How many were missed since this was asked. */
export function takeMissed(room: Int32Array): number {
  return Atomics.exchange(room, MISSED, 0);
}

function takeRoom(room: Int32Array): boolean {
  if (Atomics.sub(room, LEFT, 1) > 0) return true;
  Atomics.add(room, LEFT, 1);
  Atomics.add(room, MISSED, 1);
  return false;
}

type Told = Pick<Traced, 'operation' | 'path' | 'result'>;

/** Those that are told of a request: by their numbers. */
export function whomToTell(orders: readonly TraceOrder[], told: Told): number[] {
  return orders
    .filter(({ filter, room }) => isWanted(filter, told) && (room === undefined || takeRoom(room)))
    .map(({ id }) => id);
}

function isWanted({ operations, path, failed }: TraceFilter, told: Told): boolean {
  if (operations !== undefined && !operations.includes(told.operation)) return false;
  if (path !== undefined && path !== '/' && told.path !== path && !told.path.startsWith(`${path}/`))
    return false;
  return failed !== true || (told.result ?? 0) < 0;
}

/** All that want to know of a mount's requests. Lives in the thread that has the tree. */
export class Tracers {
  readonly #all = new Map<number, TraceOrder & { readonly trace: Trace }>();
  readonly #changed: (orders: readonly TraceOrder[]) => void;
  #last = 0;
  #orders: readonly TraceOrder[] = [];

  /** `changed` is told of all that there are by now. */
  constructor(changed: (orders: readonly TraceOrder[]) => void = () => {}) {
    this.#changed = changed;
  }

  get orders(): readonly TraceOrder[] {
    return this.#orders;
  }

  /** Disposing the answer ends it. */
  add(trace: Trace, filter: TraceFilter = {}, room?: Int32Array): Disposable {
    const id = ++this.#last;
    this.#all.set(id, { id, filter, room, trace });
    this.#change();
    return {
      [Symbol.dispose]: () => {
        if (this.#all.delete(id)) this.#change();
      },
    };
  }

  #change(): void {
    this.#orders = [...this.#all.values()].map(({ id, filter, room }) => ({ id, filter, room }));
    this.#changed(this.#orders);
  }

  /** Tells those of a request that whomToTell has said. */
  tell(traced: Traced, whom: readonly number[]): void {
    for (const id of whom) {
      const tracer = this.#all.get(id);
      if (tracer !== undefined) tell(tracer.trace, traced);
    }
  }
}
