import { closeSync, openSync, readFileSync, readSync } from 'node:fs';

const PAGE_SIZE = 4096;
const ENTRY = 8;
/** Of an entry of pagemap: the page is in memory; the lowest 55 bits are its number then. */
const PRESENT = 1n << 63n;
const PAGE_NUMBER = (1n << 55n) - 1n;

/** Pages are looked for, and read, so many at once. */
const AT_ONCE = 256;

/** A mapping of a process. Source: proc_pid_smaps(5). */
export interface Mapping {
  readonly start: number;
  readonly end: number;
  /** The path of the file, or what stands there instead. */
  readonly name: string;
  /** How much of it is locked and in memory, in bytes. */
  readonly locked: number;
  /** `lo`: locked, `dd`: not in core dumps, `dc`: not in child processes. */
  readonly flags: readonly string[];
}

export function mappings(pid: number): Mapping[] {
  return readFileSync(`/proc/${pid}/smaps`, 'utf8')
    .split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m)
    .map((text) => {
      const [, start = '', end = '', name = ''] =
        text.match(/^([0-9a-f]+)-([0-9a-f]+) \S+ \S+ \S+ \S+ *(.*)$/m) ?? [];
      return {
        start: Number.parseInt(start, 16),
        end: Number.parseInt(end, 16),
        name,
        locked: Number(text.match(/^Locked: +(\d+) kB$/m)?.[1]) * 1024,
        flags:
          text
            .match(/^VmFlags: (.*)$/m)?.[1]
            ?.trim()
            .split(' ') ?? [],
      };
    });
}

/** The numbers of the pages in memory from `start` to `end`, by their addresses. Source: proc_pid_pagemap(5). */
export function pages(pid: number | 'self', start: number, end: number): Map<number, number> {
  const found = new Map<number, number>();
  const pagemap = openSync(`/proc/${pid}/pagemap`, 'r');
  try {
    const entries = Buffer.alloc(AT_ONCE * PAGE_SIZE);
    for (let at = start; at < end; ) {
      const count = readSync(
        pagemap,
        entries,
        0,
        Math.min(entries.length, ((end - at) / PAGE_SIZE) * ENTRY),
        (at / PAGE_SIZE) * ENTRY,
      );
      for (let i = 0; i < count; i += ENTRY, at += PAGE_SIZE) {
        const entry = entries.readBigUInt64LE(i);
        if (entry & PRESENT) found.set(at, Number(entry & PAGE_NUMBER));
      }
      if (count === 0) break;
    }
  } finally {
    closeSync(pagemap);
  }
  return found;
}

/** The mappings of a process in whose pages `bytes` stand. Pages that aren't there are left so. */
export function mappingsWith(pid: number, bytes: Buffer): Mapping[] {
  const memory = openSync(`/proc/${pid}/mem`, 'r');
  try {
    return mappings(pid).filter(({ start, end, name, flags }) => {
      if (!flags.includes('rd') || name.startsWith('[v')) return false;
      const page = Buffer.alloc(PAGE_SIZE);
      for (const address of pages(pid, start, end).keys()) {
        if (readSync(memory, page, 0, PAGE_SIZE, address) > 0 && page.includes(bytes)) return true;
      }
      return false;
    });
  } finally {
    closeSync(memory);
  }
}

/** Bits of kpageflags. Source: Documentation/admin-guide/mm/pagemap.rst of Linux. */
const UNEVICTABLE = 1n << 18n;
const THP = 1n << 22n;
const MLOCKED = 1n << 33n;

/** How many of the pages that this process has mapped from `start` to `end` are never written to swap. */
export function unevictable(start: number, end: number): number {
  return flagged(start, end, UNEVICTABLE | MLOCKED);
}

/** How many of the pages that this process has mapped from `start` to `end` are parts of huge pages. */
export function inHugePages(start: number, end: number): number {
  return flagged(start, end, THP);
}

/** How many of the pages that this process has mapped from `start` to `end` have one of some flags, at least. */
function flagged(start: number, end: number, mask: bigint): number {
  const flags = openSync('/proc/kpageflags', 'r');
  try {
    const entry = Buffer.alloc(ENTRY);
    return [...pages('self', start, end).values()].filter((page) => {
      readSync(flags, entry, 0, ENTRY, page * ENTRY);
      return (entry.readBigUInt64LE() & mask) !== 0n;
    }).length;
  } finally {
    closeSync(flags);
  }
}
