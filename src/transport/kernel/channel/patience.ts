import { Poll } from '../../../sys/poll.ts';
import { runsInParallel } from '../../../sys/processors.ts';
import type { Waiting } from './device.ts';

/** How long to look where that pays, in microseconds: with one processor the client can't come meanwhile. */
const LOOK = 15;

/** How long to look for the next request before sleeping, in microseconds. */
export function lookTime(): number {
  return runsInParallel() ? LOOK : 0;
}

/** Which of the two descriptors tells to stop. */
const STOP = 1;

/**
 * Looks a moment longer before it sleeps: a client that has its answer comes again in a few microseconds, and to be put to sleep
 * and woken up costs both of them more than that. Figures: scripts/bench/README.md.
 */
export class Patience implements Waiting {
  readonly #poll: Poll;
  readonly #look: number;
  readonly #sleep: number;
  #until = 0;

  /**
   * For the device `fd`, until `stop` can be read. `look` is how long to look, in microseconds. `sleep` is how long to sleep at
   * most before JavaScript runs again, in milliseconds: -1 for ever.
   */
  constructor(fd: number, stop: number, look: number, sleep: number) {
    this.#poll = new Poll(fd, stop);
    this.#look = look / 1000;
    this.#sleep = sleep;
  }

  wait(): boolean {
    if (this.#look > 0) {
      const now = performance.now();
      if (this.#until === 0) this.#until = now + this.#look;
      if (now < this.#until) return true;
      this.#until = 0;
    }
    while (!this.#poll.wait(this.#sleep));
    return !this.#poll.isReady(STOP);
  }

  arrived(): void {
    this.#until = 0;
  }
}
