import { closeSync, openSync, readSync } from 'node:fs';
import { ENOENT, Errno } from '../sys/errno.ts';
import { madvise, mapMemory, unmap } from '../sys/mmap.ts';
import { PAGE_SIZE } from './sizes.ts';

/** Have pages in the page tables that are in memory, or made there. Source: madvise(2), since Linux 5.14. */
const MADV_POPULATE_READ = 22;
const MADV_POPULATE_WRITE = 23;

/** Of an entry of pagemap: the page is in memory; the lowest 55 bits are its number then. */
const PRESENT = 1n << 63n;
const PAGE_NUMBER = (1n << 55n) - 1n;

/** How many entries of kpagecgroup are read at once: what was made together has numbers near each other, in any order. */
const AT_ONCE = 32;

/**
 * Whether all pages of a file that are mapped from `address` on count as memory of the control group that this process is in.
 * False also where that can't be known, as without CAP_SYS_ADMIN.
 * Source: Documentation/admin-guide/mm/pagemap.rst of Linux.
 */
export function isOwnMemory(address: number, length: number): boolean {
  try {
    const [own, ...none] = withFile('/proc/kpagecgroup', (groups) => {
      madvise(address, length, MADV_POPULATE_READ);
      return new Set([...groupsOf(address, length, groups), ...ownGroup(groups)]);
    });
    return own !== undefined && none.length === 0;
  } catch (thrown) {
    const error = Errno.from(thrown);
    if (!(error instanceof Errno)) throw error;
    // A kernel without memory control groups hasn't got the file.
    return error.errno === ENOENT;
  }
}

/** The group of a page that this process makes now. */
function ownGroup(groups: number): Set<bigint | undefined> {
  const page = mapMemory(PAGE_SIZE);
  try {
    madvise(page, PAGE_SIZE, MADV_POPULATE_WRITE);
    return groupsOf(page, PAGE_SIZE, groups);
  } finally {
    unmap(page, PAGE_SIZE);
  }
}

/** The groups of mapped pages, by their inode numbers; undefined for a page whose number isn't told. */
function groupsOf(address: number, length: number, groups: number): Set<bigint | undefined> {
  const pages = withFile('/proc/self/pagemap', (pagemap) =>
    entries(pagemap, address / PAGE_SIZE, length / PAGE_SIZE).sort(),
  );
  const found = new Set<bigint | undefined>();
  let first = Number.NaN;
  let read = new BigUint64Array(0);
  for (const page of pages) {
    const number = page & PRESENT ? Number(page & PAGE_NUMBER) : 0;
    if (Math.floor(number / AT_ONCE) * AT_ONCE !== first) {
      first = Math.floor(number / AT_ONCE) * AT_ONCE;
      read = entries(groups, first, AT_ONCE);
    }
    found.add(number === 0 ? undefined : read[number - first]);
  }
  return found;
}

/** Entries of 64 bits of a file. */
function entries(fd: number, first: number, count: number) {
  const read = new BigUint64Array(count);
  const { BYTES_PER_ELEMENT: size } = BigUint64Array;
  const bytes = readSync(fd, read, 0, count * size, first * size);
  return read.subarray(0, bytes / size);
}

function withFile<T>(path: string, use: (fd: number) => T): T {
  const fd = openSync(path, 'r');
  try {
    return use(fd);
  } finally {
    closeSync(fd);
  }
}
