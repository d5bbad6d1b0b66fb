import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import type { Freed } from '../ram-file/give-back.ts';

/** How long the event loop waits for its turn, in milliseconds. */
const TURN = 10;

/** How far it is, and what is in its way. */
export interface Step extends Freed {
  /** How long to wait for the next step, in milliseconds. */
  readonly pause?: number | undefined;
  /** What keeps it from going on, as a sentence without its end. */
  readonly trouble?: string | undefined;
}

/**
 * Removes files and gives their memory back, once, whoever asks and however often: the end of a mount, a command, the end of
 * the process. From the first moment they are gone and their data nobody's any more; overwriting a secret takes longer.
 */
export class Teardown {
  readonly #steps: Iterator<Step, void>;
  #last: Step = { bytes: 0, total: 0 };
  #finished: Promise<void> | undefined;
  #hasBegun = false;

  constructor(steps: Iterator<Step, void>) {
    this.#steps = steps;
  }

  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  /** How far it is. */
  get freed(): Freed {
    const { bytes, total } = this.#last;
    return { bytes, total };
  }

  /** Its last step. */
  get last(): Step {
    return this.#last;
  }

  /** All of it, or what is left of it, before this returns; nothing is waited for. */
  atOnce(): void {
    while (this.step() && this.#last.pause === undefined);
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
      for (const end = performance.now() + TURN; performance.now() < end && !this.#last.pause; ) {
        if (!this.step()) return;
      }
      await (this.#last.pause ? sleep(this.#last.pause) : setImmediate());
      if (this.#last.pause && !this.step()) return;
    }
  }

  /** A part of it, of some milliseconds. Returns whether there is more to do. */
  step(): boolean {
    this.#hasBegun = true;
    const { value, done } = this.#steps.next();
    if (value) this.#last = value;
    return done !== true;
  }
}

/** Several as one: none of them waits for another's end to have its beginning. */
export function* together(all: readonly Teardown[]): Generator<Step, void, undefined> {
  for (let left = all; left.length > 0; ) {
    left = left.filter((one) => one.step());
    const pauses = left.map(({ last }) => last.pause ?? 0);
    yield {
      ...all.reduce((sum, { freed }) => add(sum, freed), { bytes: 0, total: 0 }),
      pause: left.length > 0 && !pauses.includes(0) ? Math.min(...pauses) : undefined,
      trouble: left.find(({ last }) => last.trouble !== undefined)?.last.trouble,
    };
  }
}

function add(one: Freed, other: Freed): Freed {
  return { bytes: one.bytes + other.bytes, total: one.total + other.total };
}
