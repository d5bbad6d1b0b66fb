import { ENXIO, Errno } from '../sys/errno.ts';
import { lseek, SEEK_DATA, SEEK_HOLE } from '../sys/memfd.ts';
import { PAGE_SIZE } from './sizes.ts';

/** A part of the file, in bytes. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

export function pageDown(offset: number): number {
  return Math.floor(offset / PAGE_SIZE) * PAGE_SIZE;
}

export function pageUp(offset: number): number {
  return Math.ceil(offset / PAGE_SIZE) * PAGE_SIZE;
}

/** The pages that a range touches. */
export function pagesOf(start: number, end: number): number {
  return Math.ceil(end / PAGE_SIZE) - Math.floor(start / PAGE_SIZE);
}

/** The first data at or after `offset`. Throws ENXIO when there is none. */
export function nextData(fd: number, offset: number): number {
  return lseek(fd, offset, SEEK_DATA);
}

/** The first hole at or after `offset`; the end counts as one. Throws ENXIO from the end on. */
export function nextHole(fd: number, offset: number): number {
  return lseek(fd, offset, SEEK_HOLE);
}

/** The first data at or after `offset`, or infinity. */
export function dataFrom(fd: number, offset: number): number {
  return orAt(Number.POSITIVE_INFINITY, () => nextData(fd, offset));
}

/**
 * Where the data at `offset` ends: `offset` itself when there is none. The kernel looks at every page until there
 * (mapping_seek_hole_data): 30 ns each, so a caller who goes along a run asks once.
 */
export function dataEnd(fd: number, offset: number): number {
  return orAt(offset, () => nextHole(fd, offset));
}

/** The data between two offsets, one run after the other. */
export function* dataIn(fd: number, start: number, end: number): Generator<Range, void> {
  for (let at = dataFrom(fd, start); at < end; ) {
    const stop = Math.min(dataEnd(fd, at), end);
    yield { start: at, end: stop };
    at = dataFrom(fd, stop);
  }
}

/** The holes in the pages that a range touches. Pages that were reserved and never written are holes too. */
export function holesIn(fd: number, start: number, end: number): Range[] {
  const holes = [];
  const stop = pageUp(end);
  let at = pageDown(start);
  for (const data of dataIn(fd, at, stop)) {
    if (at < data.start) holes.push({ start: at, end: data.start });
    at = pageUp(data.end);
  }
  if (at < stop) holes.push({ start: at, end: stop });
  return holes;
}

/** What `seek` answers, or `otherwise` when there is nothing to be found. */
function orAt(otherwise: number, seek: () => number): number {
  try {
    return seek();
  } catch (error) {
    if (error instanceof Errno && error.errno === ENXIO) return otherwise;
    throw error;
  }
}
