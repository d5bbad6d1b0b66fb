import { MiB } from '../../scripts/bench/sizes.ts';

/** A part of the file that one client has for itself, in bytes. */
export interface Region {
  readonly start: number;
  readonly length: number;
  /** Whether the file ends in it: its client may cut the file there, and make it longer. */
  readonly last: boolean;
}

const STRIDE = 8 * MiB;

/**
 * What lies between regions. A page fault reads ahead by up to 128 KiB, into the page cache; where another client's
 * direct write is under way there, the kernel may keep the page as it was before (fuse_direct_io drops pages ahead of
 * the write only). That is a client mapping what another one writes directly, and not what is compared here.
 */
const GAP = MiB / 4;

/** The regions of so many clients, the last one at the file's end. */
export function regionsOf(clients: number): Region[] {
  return Array.from({ length: clients }, (_, i) => ({
    start: i * STRIDE,
    length: STRIDE - GAP,
    last: i === clients - 1,
  }));
}

/** The whole file, for a client that is alone with it. */
export function wholeOf(clients: number): Region {
  return { start: 0, length: clients * STRIDE, last: true };
}
