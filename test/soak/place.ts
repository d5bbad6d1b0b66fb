import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MiB } from '../../scripts/bench/sizes.ts';
import { must } from '../support/answer.ts';
import { calls } from '../support/calls/index.ts';
import { type Mount, mount } from '../support/mount.ts';
import { Tmpfs } from '../support/tmpfs.ts';
import type { Kind } from './kinds.ts';
import type { Files } from './pair.ts';

/** The most memory that a file may take, in bytes: twice what the clients' regions have room for. */
const MAX_SIZE = 64 * MiB;

/** A mount, and a tmpfs with the mirror of its file. Disposing it takes both away. */
export class Place implements AsyncDisposable {
  readonly kind: Kind;
  readonly mount: Mount;
  readonly files: Files;
  readonly #tmpfs = new Tmpfs(MAX_SIZE);

  static async make(kind: Kind): Promise<Place> {
    return new Place(kind, await mount(['--max-size', String(MAX_SIZE), ...kind.options]));
  }

  private constructor(kind: Kind, mounted: Mount) {
    this.kind = kind;
    this.mount = mounted;
    this.files = { ours: mounted.file, mirror: join(this.#tmpfs.dir, 'file') };
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

  async [Symbol.asyncDispose](): Promise<void> {
    this.#tmpfs[Symbol.dispose]();
    await this.mount[Symbol.asyncDispose]();
  }
}
