import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { type Mount, mount } from '../support/mount.ts';
import { Tmpfs } from '../support/tmpfs.ts';
import { show } from '../support/trace.ts';
import { Player } from './player.ts';
import type { Step } from './step.ts';

/** The most memory that the files may take, in bytes: little enough for a sequence to run into it. */
const MAX_SIZE = 1 << 20;

/** More than a sequence can fill. In cached mode a refused write may undo what a mapping stored: see differences.ts. */
const ROOMY = 128 << 20;

/** A mount and a tmpfs on which the same sequences are played. Disposing it takes both away. */
export class Comparison implements AsyncDisposable {
  readonly #mount: Mount;
  readonly #tmpfs: Tmpfs;
  readonly #ours: Player;
  readonly #theirs: Player;

  static async start(io: string): Promise<Comparison> {
    const maxSize = io === 'cached' ? ROOMY : MAX_SIZE;
    return new Comparison(await mount(['--max-size', String(maxSize), '--io', io]), new Tmpfs(maxSize));
  }

  private constructor(mounted: Mount, tmpfs: Tmpfs) {
    this.#mount = mounted;
    this.#tmpfs = tmpfs;
    const file = join(this.#tmpfs.dir, 'file');
    writeFileSync(file, '');
    this.#ours = new Player(mounted.file);
    this.#theirs = new Player(file);
  }

  /** Plays a sequence on both, each from an empty file. Throws, with all calls and answers, when they disagree. */
  play(steps: readonly Step[]): void {
    this.#ours.reset();
    this.#theirs.reset();
    const trace: string[] = [];
    for (const step of steps) {
      const { call, ...parameters } = step;
      const text = `${call} ${JSON.stringify(parameters)}`;
      this.#same(text, this.#ours.play(step), this.#theirs.play(step), trace, steps);
    }
    const [ours, theirs] = [this.#ours.content(), this.#theirs.content()];
    for (let i = 0; i < Math.max(ours.length, theirs.length); i++) {
      this.#same('at the end', ours[i], theirs[i], trace, steps);
    }
  }

  #same(text: string, ours: unknown, theirs: unknown, trace: string[], steps: readonly Step[]): void {
    trace.push(`  ${text} = ${show(theirs)}`);
    if (isDeepStrictEqual(ours, theirs)) return;
    const replay = `npm run fuzz -- --replay '${JSON.stringify(steps)}'`;
    throw new Error(`The mount answers ${show(ours)} where tmpfs answers\n${trace.join('\n')}\n${replay}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ours.reset();
    this.#theirs.reset();
    this.#tmpfs[Symbol.dispose]();
    await this.#mount[Symbol.asyncDispose]();
  }
}
