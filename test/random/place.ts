import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { failed, must } from '../support/answer.ts';
import { calls } from '../support/calls/index.ts';
import { type Mount, mount } from '../support/mount.ts';
import { Tmpfs } from '../support/tmpfs.ts';
import type { Files } from './content.ts';
import type { Kind } from './kinds.ts';
import { Pair } from './pair.ts';
import type { Step } from './step.ts';

/** A mount, and a tmpfs with the mirror of its file. Disposing it takes both away. */
export class Place implements AsyncDisposable {
  readonly kind: Kind;
  readonly mount: Mount;
  readonly files: Files;
  readonly #tmpfs: Tmpfs;

  /** `maxSize` is the most memory that a file may take, in bytes. */
  static async make(kind: Kind, maxSize: number): Promise<Place> {
    return new Place(kind, await mount(['--max-size', String(maxSize), ...kind.options]), new Tmpfs(maxSize));
  }

  private constructor(kind: Kind, mounted: Mount, tmpfs: Tmpfs) {
    this.kind = kind;
    this.mount = mounted;
    this.#tmpfs = tmpfs;
    this.files = { ours: mounted.file, mirror: join(tmpfs.dir, 'file') };
    writeFileSync(this.files.mirror, '');
  }

  /** Empties both files, and makes them `size` bytes long. Throws when an empty file still takes memory. */
  reset(size: number): void {
    for (const file of [this.files.ours, this.files.mirror]) {
      must(calls.truncate(file, 0));
      const { blocks } = must(calls.stat(file));
      if (blocks !== 0) throw new Error(`${file} is empty, and takes ${blocks} blocks`);
      must(calls.truncate(file, size));
    }
  }

  /** Whether the mount answers. It doesn't when something has ended its daemon. */
  get answers(): boolean {
    return !failed(calls.stat(this.files.ours));
  }

  /** Plays steps from empty files on, and compares what is there in the end. Throws the first Difference. */
  play(steps: readonly Step[]): void {
    this.reset(0);
    using pair = new Pair(this.files);
    for (const step of steps) pair.play(step);
    pair.compare(this.kind.holes);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#tmpfs[Symbol.dispose]();
    await this.mount[Symbol.asyncDispose]();
  }
}
