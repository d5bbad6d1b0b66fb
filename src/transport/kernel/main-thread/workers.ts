import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { STARTING, WAITING, type WorkerData, type WorkerMessage } from '../worker-contract.ts';

/** Where a worker starts: .js when built, .ts when run from source. */
const WORKER = new URL(`../worker-thread/worker${extname(import.meta.url)}`, import.meta.url);

/** How many there are when nobody says: what serves one client best, and four as well (see scripts/bench/README.md). */
export const DEFAULT_THREADS = 3;

/** What each worker shares with the session, in bytes: two lines of the cache, so that no two write to the same one. */
const SHARED_SIZE = 128;

/** What is the same for all workers of a session. */
type SessionData = Omit<WorkerData, 'thread' | 'serving'>;

/** The session that workers work for. */
export interface WorkersOwner {
  /** A worker read a request that isn't for a file it knows. */
  serve(request: Uint8Array): void;
  /** A worker ended in the middle of this request, which still waits for its answer. */
  abandon(unique: number): void;
  /** A worker ended and can't be replaced. Those that are left go on until the file system is unmounted. */
  giveUp(): void;
}

/**
 * The threads that wait for requests. One that ends while the file system is mounted is replaced: it ran out of memory,
 * or a handler called process.exit(), which in a worker ends the worker.
 */
export class Workers {
  /** Resolves when all of them serve. Rejects when one can't be started. */
  readonly ready: Promise<unknown>;
  /** Resolves when the file system is unmounted and all have ended. Rejects then if one couldn't be replaced. */
  readonly ended: Promise<void>;
  readonly #data: SessionData;
  readonly #owner: WorkersOwner;

  constructor(data: SessionData, threads: number, owner: WorkersOwner) {
    this.#data = data;
    this.#owner = owner;
    const lives: Promise<void>[] = [];
    const start = (thread: number) =>
      new Promise<void>((ready, failed) => {
        const life = this.#keep(thread, ready);
        life.catch(failed);
        lives.push(life);
      });
    this.ready = Promise.all(Array.from({ length: threads }, (_, thread) => start(thread)));
    const allUnmounted = Promise.all(lives);
    allUnmounted.catch(() => owner.giveUp());
    this.ended = Promise.allSettled(lives)
      .then(() => allUnmounted)
      .then(() => {});
  }

  /** Has one worker after the other until the file system is unmounted. Calls `ready` when the first serves. */
  async #keep(thread: number, ready: () => void): Promise<void> {
    while (await this.#run(thread, ready));
  }

  /** Runs a worker to its end. Returns whether there must be another. Throws when that would fare no better. */
  async #run(thread: number, ready: () => void): Promise<boolean> {
    const serving = new Float64Array(new SharedArrayBuffer(SHARED_SIZE));
    serving[0] = STARTING;
    const workerData: WorkerData = { ...this.#data, thread, serving };
    const worker = new Worker(WORKER, { workerData });
    let unmounted = false;
    let cause: unknown = new Error('it called process.exit()');
    worker.on('message', (message: WorkerMessage) => {
      if (message === 'ready') ready();
      else if (message === 'unmounted') unmounted = true;
      else this.#owner.serve(message);
    });
    worker.on('error', (error) => {
      cause = error;
    });
    await new Promise((end) => worker.once('exit', end));
    if (unmounted) return false;
    const why = cause instanceof Error ? cause.message : String(cause);
    const [request = STARTING] = serving;
    if (request === STARTING) throw new Error(`a worker ended before it served anything (${why})`, { cause });
    console.error(`ramproc: a worker ended (${why}); another takes its place.`);
    if (request !== WAITING) this.#owner.abandon(request);
    return true;
  }
}
