import { addressOf } from '../../../sys/libc.ts';
import { type Watch, whenReadable } from '../../../sys/watch.ts';
import { countTaken, giveTurn, takeTurn } from '../channel/turn.ts';
import { Call } from '../wire/call.ts';
import { type Channel, Next } from '../wire/channel.ts';
import { MAX_WRITE, PAGE_SIZE } from '../wire/init.ts';
import type { TreeServer } from './tree-server.ts';

/**
 * How long requests are taken without letting the program have its event loop, in milliseconds: its timers, sockets and promises come to their
 * turn as often as this, and one request later. A turn of the loop costs 10 to 20 us.
 */
const SLICE = 1;

/** How many calls may have memory for the longest request and reply, beside the one that is read into. */
const MAX_CALLS = 16;

/** How many promises one behind the other an async handler's answer goes through that waits for nothing, and a few more. */
const STEPS = 12;

/**
 * How long to go on with turns of the event loop while a handler's promise is waited for, in milliseconds: an answer from this machine comes
 * sooner, and to be put to sleep and woken up takes as long as it does. With 4 clients of an engine beside it, 15 us gave 0.75, 300 us 1.1 times the
 * calls a second, and with 16 it was the other way round.
 */
const LATE = 0.1;

/** Why no more requests are taken for now. */
const Pause = {
  /** None came for as long as is worth looking. */
  EMPTY: 0,
  /** None came yet, but answers may come meanwhile. */
  LATE: 1,
  /** It is time to let others have the event loop. */
  SLICE: 2,
  /** There will be none any more: the file system is unmounted. */
  UNMOUNTED: 3,
} as const;

type Pause = (typeof Pause)[keyof typeof Pause];

/**
 * The event loop's own way to requests: it is woken when there are some, takes and serves one after the other until there are none, and
 * looks a moment longer before it sleeps, as a worker does. While it waits for a handler it does so in turns of the loop, by which sockets and timers
 * have theirs too.
 *
 * For trees without a file that workers serve. One watches that this thread isn't blocked, and takes requests meanwhile.
 */
export class Draining implements Disposable {
  readonly #channel: Channel;
  readonly #server: TreeServer;
  readonly #turn: Int32Array;
  readonly #look: number;
  readonly #lookLate: number;
  readonly #watch: Watch;
  /** The one that is read into, and those that nobody needs any more. */
  #call = newCall();
  readonly #free: Call[] = [];
  /** How many requests wait for a handler's promise, in calls of ours. */
  #late = 0;
  #lookUntil = 0;
  /** Whether one of them came since promises were last let go on. */
  #isFresh = false;
  #isDraining = false;
  #isLooking = false;
  #isDisposed = false;

  /** It is this thread's turn from now on. `look` is how long to look for the next request before sleeping, in microseconds. */
  constructor(fd: number, channel: Channel, server: TreeServer, turn: Int32Array, look: number) {
    this.#channel = channel;
    this.#server = server;
    this.#turn = turn;
    this.#look = look / 1000;
    // Where looking doesn't pay, it doesn't for an answer either.
    this.#lookLate = look > 0 ? LATE : 0;
    this.#watch = whenReadable(fd, () => void this.#drain());
    // The workers keep the program alive, or nobody does.
    this.#watch.unref();
    takeTurn(turn);
  }

  /** From now on workers take all requests. */
  [Symbol.dispose](): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.#watch[Symbol.dispose]();
    giveTurn(this.#turn);
  }

  async #drain(): Promise<void> {
    if (this.#isDisposed) return;
    this.#isDraining = true;
    // A worker may have taken it while this thread was blocked.
    takeTurn(this.#turn);
    const until = performance.now() + SLICE;
    try {
      let pause = this.#serve(until);
      while (pause === Pause.LATE && !this.#isDisposed && (await this.#settle())) pause = this.#serve(until);
      if (pause === Pause.UNMOUNTED) this[Symbol.dispose]();
      this.#isDraining = false;
      if (pause === Pause.LATE) this.#lookAgain();
    } catch (error) {
      console.error(error);
      this[Symbol.dispose]();
    }
  }

  /**
   * Lets promises go on, and nothing else, until one is kept that a request waits for, or for as long as an async handler takes that waits
   * for nothing. Returns whether one was kept.
   */
  async #settle(): Promise<boolean> {
    if (!this.#isFresh) return false;
    const late = this.#late;
    for (let step = 0; step < STEPS && this.#late === late; step++) await undefined;
    this.#isFresh = this.#late < late;
    return this.#isFresh;
  }

  /** Looks for requests again after a turn of the event loop, in which what promises wait for comes, such as an answer by a socket. */
  #lookAgain(): void {
    if (this.#isLooking) return;
    this.#isLooking = true;
    setImmediate(() => {
      this.#isLooking = false;
      void this.#drain();
    });
  }

  /** Serves one request after the other. */
  #serve(until: number): Pause {
    for (;;) {
      const next = this.#channel.next(this.#call);
      if (typeof next === 'object') {
        countTaken(this.#turn);
        this.#lookUntil = 0;
        const { since } = this.#call;
        this.#one();
        if (since >= until) return Pause.SLICE;
      } else {
        if (next === Next.UNMOUNTED) return Pause.UNMOUNTED;
        const now = performance.now();
        if (this.#lookUntil === 0) this.#lookUntil = now + (this.#late > 0 ? this.#lookLate : this.#look);
        if (now >= this.#lookUntil) {
          this.#lookUntil = 0;
          return Pause.EMPTY;
        }
        if (this.#late > 0) return Pause.LATE;
      }
    }
  }

  #one(): void {
    const call = this.#call;
    if (this.#late === MAX_CALLS) {
      this.#server.serveMessage(call.message());
      return;
    }
    const answered = this.#server.serve(call);
    if (answered === undefined) return;
    this.#late++;
    this.#isFresh = true;
    this.#call = this.#free.pop() ?? newCall();
    void answered.then(() => {
      this.#late--;
      this.#lookUntil = 0;
      this.#free.push(call);
      // Who has its answer comes again in a moment.
      if (!this.#isDraining) this.#lookAgain();
    });
  }
}

/** A call with room for the longest request and reply, where their data lies best. Its memory isn't there before it is written to. */
function newCall(): Call {
  const memory = new Uint8Array(Call.space(MAX_WRITE) + PAGE_SIZE);
  const page = (PAGE_SIZE - (Number(addressOf(memory)) % PAGE_SIZE)) % PAGE_SIZE;
  return Call.within(memory.subarray(page), MAX_WRITE);
}
