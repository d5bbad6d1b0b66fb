import { type Watch, whenReadable } from '../../../sys/watch.ts';
import { Call } from '../wire/call.ts';
import { type Channel, Next } from '../wire/channel.ts';
import { MAX_WRITE } from '../wire/init.ts';
import type { TreeServer } from './tree-server.ts';

/** How many requests are served before the event loop has its turn. */
const AT_ONCE = 32;

/** After how many requests it is worth a worker's start, which is 8 MB and 40 ms of a processor: a small file is read with 5. */
const FEW = 100;

/** What all mounts that this thread serves by itself take their requests into, one after the other. */
let call: Call | undefined;

/**
 * Serves a mount on the event loop of the thread that has the tree, with no thread of its own: for many mounts in little memory, and
 * for one that hardly anybody uses yet. It answers fewer requests a second than a worker, and takes one processor for all such mounts together.
 */
export class EventLoop {
  /** What it answers, the channel counts. */
  readonly counters: readonly SharedArrayBuffer[] = [];
  /** It serves from the start. */
  readonly ready = Promise.resolve();
  readonly isAlone = true;
  /** Resolves when the file system is unmounted, or it was stopped. Rejects when it can't go on. */
  readonly ended: Promise<void>;
  readonly #channel: Channel;
  readonly #server: TreeServer;
  readonly #watch: Watch;
  readonly #busy: () => void;
  #served = 0;
  #end: (failure?: unknown) => void = () => {};

  /** `busy` is called once it has served a few requests. */
  constructor(fd: number, channel: Channel, server: TreeServer, busy = () => {}) {
    this.#channel = channel;
    this.#server = server;
    this.#busy = busy;
    this.#watch = whenReadable(fd, () => this.#look());
    this.ended = new Promise<void>((ended, failed) => {
      this.#end = (failure) => (failure === undefined ? ended() : failed(failure));
    }).finally(() => this.#watch[Symbol.dispose]());
  }

  /** Whatever was added is in the tree. */
  add(): void {}

  forget(): void {}

  /** What it answers, the channel tells. */
  trace(): void {}

  /** There are none. */
  async hire(): Promise<void> {}

  stop(): void {
    this.#end();
  }

  keepAlive(keep: boolean): void {
    if (keep) this.#watch.ref();
    else this.#watch.unref();
  }

  #look(): void {
    try {
      if (!this.#serve()) this.#end();
    } catch (error) {
      this.#end(error);
    }
  }

  /** Serves what there is, or a part of it. Returns false at the end. */
  #serve(): boolean {
    call ??= Call.within(new Uint8Array(Call.space(MAX_WRITE)), MAX_WRITE);
    for (let count = 0; count < AT_ONCE; count++) {
      const next = this.#channel.next(call);
      if (typeof next !== 'object') return next === Next.NOTHING;
      if (!this.#server.serveHere(next)) this.#server.serveMessage(next.message());
      if (++this.#served === FEW) this.#busy();
    }
    return true;
  }
}
