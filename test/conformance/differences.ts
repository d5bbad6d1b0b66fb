import type { Difference } from './case.ts';

/** Where a transport or an I/O mode answers otherwise than the cases expect, by the names of cases. */
export type Differences = Readonly<Record<string, Difference>>;

/** What the kernel's FUSE does before any daemon is asked. */
export const fuse: Differences = {
  'directory: another user creates nothing': {
    got: 'EACCES',
    why: 'for a name that is not there the kernel checks the mode of the directory, and then asks no more',
  },
  'attributes: truncate by path to the present size of a file without data moves nothing': {
    got: '"mtime ctime"',
    why: 'FUSE asks alike for truncate(2) and for open with O_TRUNC, which does move them',
  },
};

/** The cases about whole reads. */
function wholeReads(why: string): Differences {
  const names = [100, 4096, 100_000, 1_048_576].map(
    (length) => `concurrency: reads of ${length} bytes beside writes of as many see all of a write or none`,
  );
  return Object.fromEntries(names.map((name) => [name, { got: /torn/, why, sometimes: true }]));
}

const CACHE_ANSWERS = 'the page cache answers what was read or written before, and no daemon is asked';

export const cached: Differences = {
  ...fuse,
  ...wholeReads('readers of the page cache are not locked out while a write copies to it page by page'),
  'read and write: a read past 2^53 - 1 is EFBIG': {
    got: '""',
    why: 'the page cache knows that it is past the end',
  },
  'attributes: the first read after a write moves atime, the next does not': {
    got: '""',
    why: CACHE_ANSWERS,
  },
  'attributes: a read at the end moves atime like any other': { got: '""', why: CACHE_ANSWERS },
};

const OWN_TMPFS = 'the kernel reads and writes a file on tmpfs by itself, whose offsets have 64 bits';
const NOT_ASKED = 'the kernel reads and writes by itself: the file is empty from then on, and soon gone';

export const passthrough: Differences = {
  ...fuse,
  ...wholeReads('tmpfs copies page by page, and locks no readers out meanwhile'),
  'read and write: a write past 2^53 - 1 is EFBIG': { got: '1', why: OWN_TMPFS },
  'read and write: a read past 2^53 - 1 is EFBIG': { got: '""', why: OWN_TMPFS },
  'limits: a limit between two pages counts whole pages': {
    got: '16384',
    why: 'the limit is kept by a tmpfs, which rounds it up to a page',
  },
  'teardown: unmount --force takes the data from who has the file open': { got: '""', why: NOT_ASKED },
  'teardown: unmount --force under load: every call ends, in data or in an error that says it': {
    got: /torn/,
    why: NOT_ASKED,
    sometimes: true,
  },
  'teardown: SIGTERM under load: every call ends, in data or in an error that says it': {
    got: /torn/,
    why: NOT_ASKED,
    sometimes: true,
  },
};
