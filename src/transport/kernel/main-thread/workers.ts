import { setTimeout as sleep } from 'node:timers/promises';
import { isMainThread, type Worker } from 'node:worker_threads';
import { messageForm } from '../../../sys/console.ts';
import { Event } from '../../../sys/eventfd.ts';
import { threadNumber } from '../../../sys/thread.ts';
import { reason } from '../../../text/reason.ts';
import { Counters } from '../../counters.ts';
import type { TraceOrder } from '../../tracers.ts';
import { allocateCalls, callAll, setLeader, stopAll } from '../channel/calls.ts';
import { lookTime } from '../channel/patience.ts';
import {
  type News,
  type SharedNode,
  STARTING,
  type ToldRequest,
  WAITING,
  type WorkerData,
  type WorkerMessage,
  type Written,
} from '../worker-contract.ts';
import { startWorker } from './begun.ts';
import type { EventLoop } from './event-loop.ts';
import type { Rings } from './rings.ts';

/**
 * How long a worker sleeps at most where the mount was made in a worker itself, in milliseconds. When such a thread is terminated
 * nobody runs that could wake it, and Node waits for it.
 */
const NAP = 250;

/** How long a mount takes at most to end, once its files are gone, in milliseconds. */
const ENDING = 2000;

/** What each worker shares with the mount, in bytes: two lines of the cache, so that no two write to the same one. */
const SHARED_SIZE = 128;

/** The mount that workers work for. */
export interface WorkersOwner {
  /** A worker read a request that isn't for a file it knows. */
  serve(request: Uint8Array): void;
  /** A WRITE is done, and to be answered once the kernel has dropped the cached pages of its range. */
  written(write: Written): void;
  /** A worker has answered a request of which somebody wants to know. */
  told(request: ToldRequest): void;
  /** A worker ended in the middle of this request, which still waits for its answer. */
  abandon(unique: number): void;
  /** A worker ended and can't be replaced. Those that are left go on until the file system is unmounted. */
  giveUp(): void;
}

export interface WorkersOptions {
  /** The mount's /dev/fuse. */
  readonly fd: number;
  /** What their requests come by, where that isn't the device. */
  readonly rings: Rings | undefined;
  /** The file that the mount is recorded in, if it is. */
  readonly recording: number | undefined;
  /** What they import before a handler's module that isn't of this package. */
  readonly hook: string | undefined;
  /** Whose turn it is: see turn.ts. */
  readonly turn: Int32Array;
  /** How many there are to be at most, 1 or more. There is one until it needs the others. */
  readonly threads: number;
  /** The files that they serve from the start. */
  readonly nodes: readonly SharedNode[];
  /** Makes what serves alone until a worker is needed, which it tells by calling `busy`. Default: a worker serves from the start. */
  readonly alone?: ((busy: () => void) => EventLoop) | undefined;
}

/**
 * The threads that wait for requests. One that ends while the file system is mounted is replaced: it ran out of memory,
 * or a handler called process.exit(), which in a worker ends the worker.
 */
export class Workers {
  /** Resolves when the mount is served: by the first, or by all where requests come by rings. Rejects when one can't be started. */
  readonly ready: Promise<unknown>;
  /** Resolves when the file system is unmounted and all have ended. Rejects then if one couldn't be replaced. */
  readonly ended: Promise<void>;
  /** What each counts: see Counters. */
  readonly counters: SharedArrayBuffer[] = [];
  readonly #nodes: Map<number, SharedNode>;
  readonly #stop = new Event();
  readonly #data: Omit<WorkerData, 'thread' | 'ring' | 'serving' | 'nodes' | 'orders' | 'counters'>;
  readonly #owner: WorkersOwner;
  readonly #running = new Set<Worker>();
  readonly #threads: number;
  readonly #rings: Rings | undefined;
  readonly #lives = new Set<Promise<void>>();
  /** What serves while there is no worker. */
  #alone: EventLoop | undefined;
  #hired: Promise<void> | undefined;
  /** The first one's life. */
  #first: Promise<void> | undefined;
  #keepsAlive = true;
  #orders: readonly TraceOrder[] = [];

  constructor(
    { fd, turn, rings, recording, hook, threads, nodes, alone }: WorkersOptions,
    owner: WorkersOwner,
  ) {
    this.#nodes = new Map(nodes.map((node) => [node.ino, node]));
    this.#data = {
      fd,
      turn,
      recording,
      messages: messageForm(),
      hook,
      stop: this.#stop.fd,
      owner: threadNumber(),
      look: lookTime(),
      sleep: isMainThread ? -1 : NAP,
      news: new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)),
      calls: allocateCalls(),
    };
    this.#owner = owner;
    this.#rings = rings;
    this.#threads = rings?.threads ?? threads;
    this.#alone = alone?.(() => void this.hire());
    if (this.#alone === undefined) {
      // A ring's queues need their thread from the start.
      const count = rings === undefined ? 1 : this.#threads;
      this.ready = Promise.all(Array.from({ length: count }, () => this.#start()));
      this.#hired = this.ready.then(
        () => {},
        () => {},
      );
    } else {
      const { ready, ended } = this.#alone;
      this.ready = ready;
      this.#lives.add(ended);
      ended
        .catch(() => this.#owner.giveUp())
        .finally(() => {
          this.#alone = undefined;
        });
    }
    this.ended = this.#end().finally(() => this.#stop[Symbol.dispose]());
  }

  /** Whether there is none, and none is being started. */
  get isAlone(): boolean {
    return this.#hired === undefined;
  }

  /** Has workers serve from now on. Resolves when one does, or when there can't be any: the mount may be gone. */
  async hire(): Promise<void> {
    if (this.#alone !== undefined) this.#hired ??= this.#relieve(this.#alone);
    await this.#hired;
  }

  /** Starts the first one. Resolves when it serves. */
  #start(): Promise<void> {
    return new Promise((ready, failed) => {
      const life = this.#keep(this.#add(), ready);
      life.catch(failed);
      life.catch(() => this.#owner.giveUp());
      this.#first ??= life;
      this.#lives.add(life);
    });
  }

  /** Starts the first one, in whose place something else serves until it does, and goes on when it can't be had. */
  #relieve(alone: EventLoop): Promise<void> {
    return new Promise((done) => {
      let serves = false;
      const life = this.#keep(this.#add(), () => {
        serves = true;
        alone.stop();
        done();
      }).catch(async (error: unknown) => {
        done();
        if (serves) {
          this.#owner.giveUp();
          throw error;
        }
        if (await isEnding(alone.ended)) return;
        console.error(
          `ramproc: no worker can be started (${reason(error)}); the mount is served by one thread less.`,
        );
      });
      this.#first = life;
      this.#lives.add(life);
    });
  }

  /** Starts the others. The first one goes on alone when they can't be had. */
  #hireOthers(): void {
    while (this.counters.length < this.#threads) {
      const life = this.#keep(this.#add(), () => {}).catch(async (error: unknown) => {
        if (await isEnding(this.#first)) return;
        console.error(
          `ramproc: no further worker can be started (${reason(error)}); the mount is served by one thread less.`,
        );
      });
      this.#lives.add(life);
    }
  }

  /** Returns the number of a further one. */
  #add(): number {
    return this.counters.push(Counters.allocate()) - 1;
  }

  /** Waits for all, those too that are started meanwhile. Rejects then with the first failure. */
  async #end(): Promise<void> {
    let waited = 0;
    while (waited < this.#lives.size) {
      waited = this.#lives.size;
      await Promise.allSettled(this.#lives);
    }
    await Promise.all(this.#lives);
  }

  /** Has them serve one more file. */
  add(node: SharedNode): void {
    this.#nodes.set(node.ino, node);
    this.#tell({ added: node });
  }

  /** Has them let go of a file that the kernel has forgotten. */
  forget(ino: number): void {
    if (this.#nodes.delete(ino)) this.#tell({ forgotten: ino });
  }

  /** Has them tell of requests whoever wants to know, and nobody else any more. */
  trace(orders: readonly TraceOrder[]): void {
    this.#orders = orders;
    this.#tell({ orders });
  }

  /** Has all end with the request that they serve, whatever the mount does. */
  stop(): void {
    this.#alone?.stop();
    this.#stop.set();
    stopAll(this.#data.calls);
  }

  /** Whether they keep the program's event loop alive. */
  keepAlive(keep: boolean): void {
    this.#keepsAlive = keep;
    this.#alone?.keepAlive(keep);
    for (const worker of this.#running) {
      if (keep) worker.ref();
      else worker.unref();
    }
  }

  /** In this order: who sees the number finds the message. */
  #tell(news: News): void {
    for (const worker of this.#running) worker.postMessage(news);
    Atomics.add(this.#data.news, 0, 1);
  }

  /** Has one worker after the other until the file system is unmounted. Calls `ready` when the first serves. */
  async #keep(thread: number, ready: () => void): Promise<void> {
    while (await this.#run(thread, ready));
  }

  /** Runs a worker to its end. Returns whether there must be another. Throws when that would fare no better. */
  async #run(thread: number, ready: () => void): Promise<boolean> {
    const serving = new Float64Array(new SharedArrayBuffer(SHARED_SIZE));
    serving[0] = STARTING;
    const counters = this.counters[thread] ?? Counters.allocate();
    const nodes = [...this.#nodes.values()];
    const ring = this.#rings?.data(thread);
    const orders = this.#orders;
    const workerData: WorkerData = { ...this.#data, ring, nodes, orders, thread, serving, counters };
    const worker = startWorker(workerData);
    if (!this.#keepsAlive) worker.unref();
    this.#running.add(worker);
    let ended = false;
    let cause: unknown = new Error('it called process.exit()');
    worker.on('message', (message: WorkerMessage) => {
      if (message === 'ready') {
        if (thread === 0) setLeader(this.#data.calls, true);
        ready();
      } else if (message === 'hire') this.#hireOthers();
      else if (message === 'ended') ended = true;
      else if (message instanceof Uint8Array) this.#owner.serve(message);
      else if ('traced' in message) this.#owner.told(message);
      else this.#owner.written(message);
    });
    worker.on('error', (error) => {
      cause = error;
    });
    await new Promise((end) => worker.once('exit', end));
    this.#running.delete(worker);
    if (ended) {
      // The others sleep until they are called, and would never know.
      callAll(this.#data.calls);
      return false;
    }
    if (thread === 0) setLeader(this.#data.calls, false);
    const why = reason(cause);
    const [request = STARTING] = serving;
    if (request === STARTING) throw new Error(`a worker ended before it served anything (${why})`, { cause });
    console.error(`ramproc: a worker ended (${why}); another takes its place.`);
    this.#rings?.renew(thread);
    if (request !== WAITING) this.#owner.abandon(request);
    return true;
  }
}

/** Whether what else serves a mount ends too: a worker that starts while a mount ends finds its files gone. */
function isEnding(other: Promise<void> | undefined): Promise<boolean> {
  const ends = other?.then(
    () => true,
    () => true,
  );
  return Promise.race([ends ?? true, sleep(ENDING, false, { ref: false })]);
}
