import type { Difference } from './case.ts';

/** Where a transport or an I/O mode answers otherwise than the cases expect, by the names of cases. */
export type Differences = Readonly<Record<string, Difference>>;

/** What the kernel's FUSE does before any daemon is asked. */
export const fuse: Differences = {
  'another user creates nothing': {
    got: 'EACCES',
    why: 'for a name that is not there the kernel checks the mode of the directory, and then asks no more',
  },
  'truncate by path to the present size of a file without data moves nothing': {
    got: '"mtime ctime"',
    why: 'FUSE asks alike for truncate(2) and for open with O_TRUNC, which does move them',
  },
};
