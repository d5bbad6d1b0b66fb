import { closeSync, fstatSync, openSync } from 'node:fs';
import { MiB } from '../../scripts/bench/sizes.ts';
import { must } from '../support/answer.ts';
import { calls, SEEK_DATA, SEEK_HOLE } from '../support/calls/index.ts';
import type { Files } from './pair.ts';

const PAGE = 4096;

/**
 * Compares the files whole: size, blocks, all data of the mirror, and the first and last page of each of its holes.
 * Returns how many bytes were compared; throws the first difference.
 */
export function compareContent({ ours, mirror }: Files): number {
  const [our, their] = [openSync(ours, 'r'), openSync(mirror, 'r')];
  try {
    const { size, blocks } = fstatSync(their);
    const found = fstatSync(our);
    if (found.size !== size || found.blocks !== blocks) {
      throw new Error(
        `The file has ${found.size} bytes in ${found.blocks} blocks, and on tmpfs ${size} in ${blocks}`,
      );
    }
    let compared = 0;
    const compare = (start: number, end: number) => {
      for (let at = start; at < end; at += MiB) {
        const length = Math.min(MiB, end - at);
        const theirs = must(calls.pread(their, length, at));
        const there = must(calls.pread(our, length, at));
        compared += length;
        if (there.equals(theirs)) continue;
        const where = at + theirs.findIndex((byte, i) => byte !== there[i]);
        throw new Error(`The file's content differs from that on tmpfs, from byte ${where} on`);
      }
    };
    let at = 0;
    while (at < size) {
      const data = calls.lseek(their, at, SEEK_DATA);
      const start = typeof data === 'number' ? data : size;
      compare(at, Math.min(at + PAGE, start));
      compare(Math.max(at, start - PAGE), start);
      at = start < size ? must(calls.lseek(their, start, SEEK_HOLE)) : size;
      compare(start, at);
    }
    return compared;
  } finally {
    closeSync(our);
    closeSync(their);
  }
}
