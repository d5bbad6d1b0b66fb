import { inspect } from 'node:util';
import { ClientPool } from '../support/client.ts';
import { inTime } from '../support/hanging.ts';
import { pulse } from '../support/run.ts';
import { type Case, DEFAULT_MAX_SIZE } from './case.ts';
import { Mismatch, Scene } from './scene.ts';
import type { Place, Target } from './target.ts';

/** How a case went on a target. */
export interface Result {
  readonly outcome: 'pass' | 'expected difference' | 'fail';
  /** What was wrong, or why it differs. */
  readonly text: string;
}

/** Where cases are played on one target. Those that leave the file in order follow each other on the same one. */
export class Stage implements AsyncDisposable {
  readonly target: Target;
  readonly #clients = new ClientPool();
  readonly #places = new Map<number, Place>();

  constructor(target: Target) {
    this.target = target;
  }

  async play(case_: Case): Promise<Result> {
    pulse();
    const difference = this.target.difference(case_);
    const mismatch = await this.#mismatch(case_);
    if (difference === undefined) {
      return mismatch === undefined
        ? { outcome: 'pass', text: '' }
        : { outcome: 'fail', text: mismatch.message };
    }
    const { got, why, sometimes = false } = difference;
    if (mismatch === undefined) {
      return sometimes
        ? { outcome: 'pass', text: '' }
        : { outcome: 'fail', text: `answers as expected, though it is said to differ (${why})` };
    }
    const known = typeof got === 'string' ? mismatch.got === got : got.test(mismatch.got ?? '');
    return known
      ? { outcome: 'expected difference', text: why }
      : { outcome: 'fail', text: `differs, and otherwise than with ${got} (${why}): ${mismatch.message}` };
  }

  /** The first answer that a case didn't expect, or the exception that it ended in. */
  async #mismatch(case_: Case): Promise<{ message: string; got?: string } | undefined> {
    try {
      await this.#playOn(case_);
      return undefined;
    } catch (error) {
      if (error instanceof Mismatch) return error;
      return { message: inspect(error) };
    }
  }

  async #playOn({ play, maxSize = DEFAULT_MAX_SIZE, endsMount = false }: Case): Promise<void> {
    if (endsMount) {
      await using own = await this.target.make(maxSize);
      await using scene = new Scene(own, this.#clients);
      await inTime(play(scene), 'It hangs.');
    } else {
      await using scene = new Scene(await this.#place(maxSize), this.#clients);
      await inTime(play(scene), 'It hangs.');
    }
  }

  async #place(maxSize: number): Promise<Place> {
    let place = this.#places.get(maxSize);
    if (place === undefined) {
      place = await this.target.make(maxSize);
      this.#places.set(maxSize, place);
    }
    try {
      place.reset();
    } catch {
      // The case before left a file that can't be used; it has failed for that already.
      await place[Symbol.asyncDispose]();
      place = await this.target.make(maxSize);
      this.#places.set(maxSize, place);
    }
    return place;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#clients[Symbol.asyncDispose]();
    for (const place of this.#places.values()) await place[Symbol.asyncDispose]();
  }
}
