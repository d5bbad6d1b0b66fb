import { isDeepStrictEqual } from 'node:util';
import { tmpfsCalls } from '../support/tmpfs.ts';
import { show } from '../support/trace.ts';
import { tracked } from '../support/tracked.ts';
import { compareContent, Difference, type Files } from './content.ts';
import { Player } from './player.ts';
import type { Step } from './step.ts';

/** How many calls a Difference shows, the last ones. */
const SHOWN = 50;

/** Plays each call on a file and on its mirror. Disposing it closes them. */
export class Pair implements Disposable {
  /** All calls so far. */
  readonly steps: Step[] = [];
  /** What tmpfs answered to the last ones. */
  readonly #answers: unknown[] = [];
  readonly #ours: Player;
  readonly #mirror: Player;

  /** `ours`: who plays on the file, when not by a client's system calls. */
  constructor(files: Files, ours = new Player(files.ours)) {
    this.#ours = ours;
    this.#mirror = new Player(files.mirror, tracked(tmpfsCalls));
  }

  /** What both answer. Throws a Difference when they disagree. */
  play(step: Step): unknown {
    this.steps.push(step);
    const ours = this.#ours.play(step);
    const mirror = this.#mirror.play(step);
    if (this.#answers.push(mirror) > SHOWN) this.#answers.shift();
    if (isDeepStrictEqual(ours, mirror)) return mirror;
    throw this.#difference(`The file answers ${show(ours)}, and tmpfs ${show(mirror)}${where(ours, mirror)}`);
  }

  /** Compares what is in both: see compareContent. */
  compare(holes: boolean): void {
    this.#ours.sync();
    this.#mirror.sync();
    try {
      compareContent({ ours: this.#ours.path, mirror: this.#mirror.path }, holes);
    } catch (error) {
      throw error instanceof Difference ? this.#difference(error.message) : error;
    }
  }

  [Symbol.dispose](): void {
    this.#ours[Symbol.dispose]();
    this.#mirror[Symbol.dispose]();
  }

  #difference(message: string): Difference {
    const first = this.steps.length - this.#answers.length;
    const lines = this.#answers.map((answer, i) => {
      const { call, ...parameters } = this.steps[first + i] as Step;
      return `  ${call} ${JSON.stringify(parameters)} = ${show(answer)}`;
    });
    if (first > 0) lines.unshift(`  ${first} calls before`);
    const trace = `After these calls, as tmpfs answers them:\n${lines.join('\n')}`;
    return new Difference(`${message}\n${trace}`, this.steps);
  }
}

/** For two answers of bytes: where they part. */
function where(ours: unknown, mirror: unknown): string {
  if (!Buffer.isBuffer(ours) || !Buffer.isBuffer(mirror)) return '';
  const at = ours.findIndex((byte, i) => byte !== mirror[i]);
  const from = at < 0 ? Math.min(ours.length, mirror.length) : at;
  return `, from byte ${from} on: ${show(ours.subarray(from, from + 16))} and ${show(mirror.subarray(from, from + 16))}`;
}
