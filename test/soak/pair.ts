import { statSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { Player } from '../random/player.ts';
import type { Step } from '../random/step.ts';
import { show } from '../support/trace.ts';

/** The file of a mount, and the one on tmpfs that is to be its mirror, by their paths. */
export interface Files {
  readonly ours: string;
  readonly mirror: string;
}

/** How a client opens both files before anything else; slot 1 is for appending. */
const opened: readonly Step[] = [
  { call: 'open', slot: 0, mode: 'O_RDWR' },
  { call: 'open', slot: 1, mode: 'O_RDWR|O_APPEND' },
];

/** Plays each call on both files. Disposing it closes them. */
export class Pair implements Disposable {
  readonly steps: Step[] = [];
  readonly #files: Files;
  readonly #ours: Player;
  readonly #mirror: Player;

  constructor(files: Files) {
    this.#files = files;
    this.#ours = new Player(files.ours);
    this.#mirror = new Player(files.mirror);
    for (const step of opened) this.play(step);
  }

  /** The size that both files have, in bytes. */
  get size(): number {
    return statSync(this.#files.mirror).size;
  }

  /** Throws when the answers differ. */
  play(step: Step): unknown {
    this.steps.push(step);
    const ours = this.#ours.play(step);
    const mirror = this.#mirror.play(step);
    if (isDeepStrictEqual(ours, mirror)) return mirror;
    throw new Error(
      `${JSON.stringify(step)} answers ${show(ours)}, and on tmpfs ${show(mirror)}${where(ours, mirror)}`,
    );
  }

  [Symbol.dispose](): void {
    this.#ours.close();
    this.#mirror.close();
  }
}

/** For two answers of bytes: where they part. */
function where(ours: unknown, mirror: unknown): string {
  if (!Buffer.isBuffer(ours) || !Buffer.isBuffer(mirror)) return '';
  const at = mirror.findIndex((byte, i) => byte !== ours[i]);
  return `, from byte ${at} on: ${show(ours.subarray(at, at + 16))} and ${show(mirror.subarray(at, at + 16))}`;
}
