import { Poll } from '../../../sys/poll.ts';
import type { Waiting } from './device.ts';

/** Indexes of the numbers by which threads know whose turn it is, and what allocates them. */
const WHOSE = 0;
const TAKEN = 1;

/** Whose turn it can be to take requests from the device. */
const WORKERS = 0;
const EVENT_LOOP = 1;

/** Which of the two descriptors tells to stop. */
const DEVICE = 0;
const STOP = 1;

/**
 * How long a request may wait for an event loop before a worker takes it, in milliseconds. Under load the worker looks as often as
 * this, and is woken no more than that.
 */
const GRACE = 20;

/** The numbers of a mount, shared by its threads. It is the workers' turn. */
export function allocateTurn(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT));
}

/** From now on the event loop takes requests, and workers watch that it does. */
export function takeTurn(turn: Int32Array): void {
  Atomics.store(turn, WHOSE, EVENT_LOOP);
}

/** From now on the workers take them. */
export function giveTurn(turn: Int32Array): void {
  Atomics.store(turn, WHOSE, WORKERS);
  Atomics.notify(turn, WHOSE);
}

/** The event loop has taken a request. */
export function countTaken(turn: Int32Array): void {
  Atomics.add(turn, TAKEN, 1);
}

/**
 * A worker's way to wait. Where it is the workers' turn, as it does; where it is the event loop's, until that is given up, or a request
 * waits that the event loop doesn't take, because its thread computes or waits for that very request.
 */
export class Watching implements Waiting {
  readonly #waiting: Waiting;
  readonly #turn: Int32Array;
  readonly #poll: Poll;
  readonly #sleep: number;

  /** For the device `fd`, until `stop` can be read; `sleep` as for Patience. */
  constructor(waiting: Waiting, turn: Int32Array, fd: number, stop: number, sleep: number) {
    this.#waiting = waiting;
    this.#turn = turn;
    this.#poll = new Poll(fd, stop);
    this.#sleep = sleep;
  }

  wait(): boolean {
    if (Atomics.load(this.#turn, WHOSE) === WORKERS) return this.#waiting.wait();
    while (Atomics.load(this.#turn, WHOSE) === EVENT_LOOP) {
      while (!this.#poll.wait(this.#sleep));
      if (this.#poll.isReady(STOP)) return false;
      if (this.#poll.hasFailed(DEVICE)) return true;
      const taken = Atomics.load(this.#turn, TAKEN);
      Atomics.wait(this.#turn, WHOSE, EVENT_LOOP, GRACE);
      if (Atomics.load(this.#turn, TAKEN) === taken && this.#poll.wait(0)) giveTurn(this.#turn);
    }
    return true;
  }

  arrived(...[call]: Parameters<Waiting['arrived']>): void {
    this.#waiting.arrived(call);
  }
}
