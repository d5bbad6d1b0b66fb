import { setImmediate } from 'node:timers/promises';
import type { Freed } from '../ram-file/give-back.ts';

/** How long the event loop waits for its turn, in milliseconds. */
const TURN = 10;

/**
 * Removes files and gives their memory back, once, whoever asks and however often: the end of a mount, a command, the end of
 * the process. From the first moment they are gone and their data nobody's any more; overwriting a secret takes longer.
 */
export class Teardown {
  readonly #steps: Iterator<Freed, void>;
  #freed: Freed = { bytes: 0, total: 0 };
  #finished: Promise<void> | undefined;
  #hasBegun = false;

  constructor(steps: Iterator<Freed, void>) {
    this.#steps = steps;
  }

  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  /** How far it is. */
  get freed(): Freed {
    return this.#freed;
  }

  /** All of it, or what is left of it, before this returns. */
  atOnce(): void {
    while (this.step());
  }

  /** The same with the event loop going on: its first step before this returns. */
  inSteps(): Promise<void> {
    if (this.#finished === undefined) {
      this.#finished = this.#takeTurns();
      // Who asks last hears of a failure: see serve.ts.
      this.#finished.catch(() => {});
    }
    return this.#finished;
  }

  async #takeTurns(): Promise<void> {
    for (;;) {
      for (const end = performance.now() + TURN; performance.now() < end; ) if (!this.step()) return;
      await setImmediate();
    }
  }

  /** A part of it, of some milliseconds. Returns whether there is more to do. */
  step(): boolean {
    this.#hasBegun = true;
    const { value, done } = this.#steps.next();
    if (value) this.#freed = value;
    return done !== true;
  }
}

/** Several as one: none of them waits for another's end to have its beginning. */
export function* together(all: readonly Teardown[]): Generator<Freed, void, undefined> {
  for (let left = all; left.length > 0; ) {
    left = left.filter((one) => one.step());
    yield all.reduce((sum, { freed }) => add(sum, freed), { bytes: 0, total: 0 });
  }
}

function add(one: Freed, other: Freed): Freed {
  return { bytes: one.bytes + other.bytes, total: one.total + other.total };
}
