import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { KiB, MiB } from '../../scripts/bench/sizes.ts';
import { O_NOATIME } from '../../src/sys/memfd.ts';
import { must } from '../support/answer.ts';
import { calls, SEEK_DATA, SEEK_HOLE } from '../support/calls/index.ts';
import { show } from '../support/trace.ts';
import type { Step } from './step.ts';

/** How much of a hole is looked at, from either end, in bytes. */
const EDGE = 64 * KiB;

/** A file, and the one on tmpfs that is to be its mirror, by their paths. */
export interface Files {
  readonly ours: string;
  readonly mirror: string;
}

/** The file and its mirror disagree. */
export class Difference extends Error {
  override readonly name = 'Difference';
  readonly #steps: readonly Step[];

  constructor(message: string, steps: readonly Step[] = []) {
    super(message);
    this.#steps = steps;
  }

  /** The calls that led to it, where they are known. */
  get steps(): readonly Step[] {
    return this.#steps;
  }
}

/**
 * Compares the files whole, and leaves their times alone: size, blocks, where their holes are, all data of the mirror, and
 * both ends of each of its holes. Returns how many bytes were compared; throws the first Difference.
 * `holes`: whether the file tells where its holes are.
 */
export function compareContent(files: Files, holes: boolean): number {
  const [ours, mirror] = [files.ours, files.mirror].map((path) =>
    openSync(path, constants.O_RDONLY | O_NOATIME),
  ) as [number, number];
  try {
    const { size, blocks } = fstatSync(mirror);
    const found = fstatSync(ours);
    if (found.size !== size || found.blocks !== blocks) {
      throw new Difference(
        `The file has ${found.size} bytes in ${found.blocks} blocks, and on tmpfs ${size} in ${blocks}`,
      );
    }
    const data = dataOf(mirror, size);
    const itsData = holes ? dataOf(ours, size) : data;
    if (!isDeepStrictEqual(itsData, data)) {
      throw new Difference(`The file has data at ${show(itsData)}, and on tmpfs at ${show(data)}`);
    }
    let compared = 0;
    const compare = (start: number, end: number) => {
      for (let at = start; at < end; at += MiB)
        compared += comparePart(ours, mirror, at, Math.min(MiB, end - at));
    };
    let hole = 0;
    for (const [start, end] of [...data, [size, size] as const]) {
      const head = Math.min(hole + EDGE, start);
      compare(hole, head);
      compare(Math.max(head, start - EDGE), start);
      compare(start, end);
      hole = end;
    }
    return compared;
  } finally {
    closeSync(ours);
    closeSync(mirror);
  }
}

/** Where data starts and ends. */
function dataOf(fd: number, size: number): (readonly [start: number, end: number])[] {
  const found = [];
  for (let at = 0; at < size; ) {
    const start = calls.lseek(fd, at, SEEK_DATA);
    // ENXIO: there is none up to the end.
    if (typeof start !== 'number') break;
    at = must(calls.lseek(fd, start, SEEK_HOLE));
    found.push([start, at] as const);
  }
  return found;
}

function comparePart(ours: number, mirror: number, at: number, length: number): number {
  const theirs = must(calls.pread(mirror, length, at));
  const there = must(calls.pread(ours, length, at));
  if (there.equals(theirs)) return length;
  const where = at + theirs.findIndex((byte, i) => byte !== there[i]);
  throw new Difference(`The file's content differs from that on tmpfs, from byte ${where} on`);
}
