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
  'limits: a write that is refused leaves what a mapping has stored': {
    got: '"QRSTUV"',
    why: 'the kernel copies a write to its page cache before it asks, and drops those pages when it is refused',
  },
};

export const uring: Differences = {
  ...fuse,
  'teardown: SIGTERM under load: every call ends, in data or in an error that says it': {
    got: /ECANCELED/,
    why: 'so ends a request that a thread of the daemon did not take before it ended (fuse_uring_send_in_task)',
    sometimes: true,
  },
};

const OWN_TMPFS = 'the kernel reads and writes a file on tmpfs by itself, whose offsets have 64 bits';
const NOT_ASKED = 'the kernel reads and writes by itself: the file is empty from then on, and soon gone';

export const passthrough: Differences = {
  ...fuse,
  ...wholeReads('tmpfs copies page by page, and locks no readers out meanwhile'),
  'read and write: a write past 2^53 - 1 is EFBIG': { got: '1', why: OWN_TMPFS },
  'read and write: a read past 2^53 - 1 is EFBIG': { got: '""', why: OWN_TMPFS },
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

/** Cases that differ in the same way. */
export function all(got: Difference['got'], why: string, names: readonly string[]): Differences {
  return Object.fromEntries(names.map((name) => [name, { got, why }]));
}

const NO_LSEEK = 'libfuse 2 knows no FUSE_LSEEK, and the kernel then takes the whole file for data';
const NO_FALLOCATE = 'fuse-native has no fallocate';
const NO_MAPPING = 'mapping files under direct I/O has to be agreed on in a way that libfuse 2 does not know';
const MILLISECONDS = 'fuse-native hands on milliseconds';
const BOTH_OR_NONE = 'libfuse 2 sets both times or none for file systems that fuse-native can make';

/** Where files can't be mapped shared. */
export function noMappings(why: string): Differences {
  return all('ENODEV', why, [
    'mmap: a shared mapping shows what was written',
    'mmap: a write shows in a shared mapping at once',
    'mmap: a store in a shared mapping is read at once',
    'mmap: stores and writes to the same page keep each other',
    'mmap: what another process stores is read here',
    'mmap: a mapping may start at any page and end within one',
    'mmap: a mapping may end at 2^53 - 1',
    'mmap: a mapping outlives its descriptor',
    'mmap: msync and fsync hand on what was stored',
    'mmap: a file made longer shows in a mapping made before',
    'mmap: a file cut short shows zeros behind its end in the last page',
    'mmap: a punched hole shows in a mapping',
    'mmap: touching a page past the end is SIGBUS',
    'mmap: a write from a mapping of the file itself arrives',
    'attributes: a store in a shared mapping moves mtime and ctime by msync',
    'limits: a write that is refused leaves what a mapping has stored',
    'teardown: unmount --force takes the data from who has it mapped',
  ]);
}

export const libfuse: Differences = {
  ...fuse,
  'sparse: a file of 16 GiB with data at both ends takes two pages': { got: '4096', why: NO_LSEEK },
  'lseek: SEEK_DATA and SEEK_HOLE find the real ends of holes': { got: '0', why: NO_LSEEK },
  'lseek: SEEK_DATA and SEEK_HOLE move the position': { got: '0', why: NO_LSEEK },
  'lseek: SEEK_DATA past 2^53 - 1 is EFBIG': { got: 'ENXIO', why: NO_LSEEK },
  ...all('EOPNOTSUPP', NO_FALLOCATE, [
    'lseek: a punched hole is found, a written one is gone',
    'fallocate: preallocates, and makes the file longer',
    'fallocate: preallocation keeps what is there',
    'fallocate: preallocation within the file leaves its size',
    'fallocate: KEEP_SIZE takes the memory and leaves the size',
    'fallocate: truncate takes back what KEEP_SIZE reserved',
    'fallocate: PUNCH_HOLE frees whole pages and zeroes parts',
    'fallocate: PUNCH_HOLE within one page zeroes and frees nothing',
    'fallocate: PUNCH_HOLE past the end changes nothing',
    'fallocate: PUNCH_HOLE up to the end frees the last page',
    'fallocate: ZERO_RANGE zeroes and keeps the memory',
    'fallocate: ZERO_RANGE past the end makes the file longer',
    'fallocate: ZERO_RANGE with KEEP_SIZE leaves the size',
    'limits: punching and cutting make room again',
    'limits: fallocate over the limit is ENOSPC, and takes nothing',
    'limits: what fallocate reserved can be written at the limit',
  ]),
  'attributes: fallocate moves mtime and ctime': { got: '""', why: NO_FALLOCATE },
  'tools: truncate, fallocate and stat agree': { got: /Operation not supported/, why: NO_FALLOCATE },
  'concurrency: writers, readers, truncation and punching at once leave every byte right': {
    got: '[ true, true, true, false ]',
    why: NO_FALLOCATE,
  },
  ...noMappings(NO_MAPPING),
  'attributes: utimensat sets both times to the nanosecond': {
    got: '[ 1000000000123000000n, 2000000000999000000n ]',
    why: MILLISECONDS,
  },
  'attributes: futimens does the same by descriptor': {
    got: '[ 5000000000n, 7000000000n ]',
    why: MILLISECONDS,
  },
  'attributes: times before 1970 and after 2106 are kept': {
    got: '[ -1000000000n, -1000000000n ]',
    why: MILLISECONDS,
  },
  'attributes: a write after utimensat moves mtime on from there': {
    got: '1000000000000n',
    why: MILLISECONDS,
  },
  'attributes: UTIME_OMIT leaves a time': { got: '[ 1000000000000n, 1000000000000n ]', why: BOTH_OR_NONE },
  'attributes: UTIME_NOW is the present': { got: '""', why: BOTH_OR_NONE },
  'attributes: chown with -1 twice moves ctime alone': {
    got: '""',
    why: 'libfuse hands on only what changes something',
  },
  'tools: touch sets times that ls shows': { got: '"981173106 981173106\\n"', why: BOTH_OR_NONE },
  'directory: nothing is renamed': {
    got: 'EINVAL',
    why: 'libfuse 2 knows no FUSE_RENAME2, and the kernel then takes no flags',
  },
  'concurrency: reads of 1048576 bytes beside writes of as many see all of a write or none': {
    got: /torn/,
    why: 'libfuse 2 takes 128 KiB in a request, so that a read or write of 1 MiB is eight of them',
    sometimes: true,
  },
  'teardown: unmount --force takes the data from who has the file open': {
    got: 'ENOENT',
    why: 'fstat of a file whose name is gone: libfuse asks for its attributes by path',
  },
};
