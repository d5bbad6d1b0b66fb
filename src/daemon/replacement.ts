import {
  closeSync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { dataIn } from '../ram-file/extents.ts';
import type { Freed } from '../ram-file/give-back.ts';
import { attempt } from '../sys/processes.ts';

/** How much is copied at once, in bytes. */
const PIECE = 1 << 20;

/** After how much the disk has to have it, in bytes, so that the end is no long wait. */
const SYNCED = 64 << 20;

/** Where a file is that is to be written: what a symbolic link leads to. Throws for what can be no file. */
export function placeOf(path: string): string {
  const place = attempt(() => realpathSync(path)) ?? join(realpathSync(dirname(path)), basename(path));
  const there = statSync(place, { throwIfNoEntry: false });
  if (there?.isDirectory()) throw new Error('it is a directory; give the path of a file');
  if (there !== undefined && !there.isFile()) throw new Error('it is no regular file; give the path of one');
  return place;
}

/**
 * A file that takes another's place once all of it is on the disk, and until then stands beside it. Disposing it leaves nothing but
 * what was there before, or has been put there.
 */
export class Replacement implements Disposable {
  readonly fd: number;
  readonly #place: string;
  readonly #beside: string;

  /** `mode`: permission bits, of which the umask takes some. */
  constructor(path: string, mode: number) {
    this.#place = placeOf(path);
    const beside = `.${basename(this.#place).slice(0, 200)}.${process.pid}`;
    this.#beside = join(dirname(this.#place), beside);
    this.fd = openSync(this.#beside, 'wx', mode & 0o777);
  }

  /** The old one is there until the new one is, also when the machine stops. Source: fsync(2), "NOTES" of rename(2). */
  put(): void {
    fsyncSync(this.fd);
    renameSync(this.#beside, this.#place);
    const dir = openSync(dirname(this.#place), 'r');
    fsyncSync(dir);
    closeSync(dir);
  }

  [Symbol.dispose](): void {
    closeSync(this.fd);
    attempt(() => rmSync(this.#beside));
  }
}

/** Copies all of a file, and leaves its holes out. Yields after each piece. */
export function* copyFile(from: number, to: number): Generator<Freed, void, undefined> {
  const bytes = Buffer.allocUnsafe(PIECE);
  const { size, blocks } = fstatSync(from);
  const total = Math.min(size, blocks * 512);
  let done = 0;
  let synced = 0;
  for (const { start, end } of dataIn(from, 0, size)) {
    for (let at = start; at < end; ) {
      const count = readSync(from, bytes, 0, Math.min(PIECE, end - at), at);
      // It was made shorter meanwhile.
      if (count === 0) break;
      for (let put = 0; put < count; ) put += writeSync(to, bytes, put, count - put, at + put);
      at += count;
      done += count;
      yield { bytes: done, total };
      if (done - synced < SYNCED) continue;
      fdatasyncSync(to);
      synced = done;
    }
  }
  ftruncateSync(to, size);
}
