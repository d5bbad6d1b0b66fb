import { fstatSync, ftruncateSync, readSync, writeSync } from 'node:fs';
import fc from 'fast-check';
import type { RamBuffer } from '../../../src/ram-file/ram-buffer.ts';
import { ENXIO, Errno } from '../../../src/sys/errno.ts';
import {
  fallocate,
  futimens,
  FALLOC_FL_KEEP_SIZE as KEEP_SIZE,
  lseek,
  FALLOC_FL_PUNCH_HOLE as PUNCH_HOLE,
  SEEK_DATA,
  SEEK_HOLE,
  FALLOC_FL_ZERO_RANGE as ZERO_RANGE,
} from '../../../src/sys/memfd.ts';
import type { Timespec } from '../../../src/sys/time.ts';

export const PAGE = 4096;
/** How much the file may hold. */
export const PAGES = 8;
export const LIMIT = PAGES * PAGE;

/** What `times` sets: whether a file was read or changed since is then plain to see. */
export const LONG_AGO: Timespec = { sec: 1000, nsec: 0 };
export const FUTURE: Timespec = { sec: 4_000_000_000, nsec: 0 };

/** A time in words, since the present is another one for each file. */
function inWords(sec: number): 'long ago' | 'now' | 'future' {
  if (sec === LONG_AGO.sec) return 'long ago';
  return sec === FUTURE.sec ? 'future' : 'now';
}

/** A call on the file, with numbers that shrink well and print as what they are. */
export type Step =
  | { call: 'write' | 'read'; offset: number; length: number }
  | { call: 'truncate'; size: number }
  | { call: 'times'; atime: Timespec; mtime: Timespec }
  | { call: 'fallocate'; mode: number; offset: number; length: number };

/** Whether a call stays within the limit, counted from the start of the file. */
export function isShort(step: Step): boolean {
  if (step.call === 'times' || step.call === 'read') return true;
  return (step.call === 'truncate' ? step.size : step.offset + step.length) <= LIMIT;
}

/** A file that such calls can be made on. Each answers a number, or throws an Errno. */
export interface File {
  write(bytes: Uint8Array, offset: number): number;
  read(bytes: Uint8Array, offset: number): number;
  truncate(size: number): void;
  /** Sets atime and mtime. */
  times(atime: Timespec, mtime: Timespec): void;
  fallocate(mode: number, offset: number, length: number): void;
}

/** The answer of a call: its number, or its error's name. */
function answer(call: () => unknown): number | string {
  try {
    const result = call();
    return typeof result === 'number' ? result : 0;
  } catch (error) {
    const errno = Errno.from(error);
    if (errno instanceof Errno) return errno.code;
    throw error;
  }
}

/** The calls on a buffer. */
export function ofBuffer(buffer: RamBuffer): File {
  return {
    write: (bytes, offset) => buffer.write(bytes, 0, bytes.length, offset),
    read: (bytes, offset) => buffer.read(bytes, 0, bytes.length, offset),
    truncate: (size) => buffer.truncate(size),
    times: (atime, mtime) => buffer.setTimes(atime, mtime),
    fallocate: (mode, offset, length) => buffer.fallocate(mode, offset, length),
  };
}

/** The same calls on a descriptor. tmpfs has no ZERO_RANGE: what it would be in terms of what tmpfs has. */
export function ofDescriptor(fd: number): File {
  return {
    write: (bytes, offset) => writeSync(fd, bytes, 0, bytes.length, offset),
    read: (bytes, offset) => readSync(fd, bytes, 0, bytes.length, offset),
    truncate: (size) => ftruncateSync(fd, size),
    times: (atime, mtime) => futimens(fd, atime, mtime),
    fallocate: (mode, offset, length) => {
      if ((mode & ~KEEP_SIZE) !== ZERO_RANGE) {
        fallocate(fd, mode, offset, length);
        return;
      }
      fallocate(fd, mode & KEEP_SIZE, offset, length);
      fallocate(fd, PUNCH_HOLE | KEEP_SIZE, offset, length);
      fallocate(fd, mode & KEEP_SIZE, offset, length);
    },
  };
}

/** Bytes in a form that a failure prints well: how often each comes in a row, as in `4096×7 100×0`. */
function runs(bytes: Uint8Array): string {
  const parts = [];
  for (let start = 0, end = 0; start < bytes.length; start = end) {
    const byte = bytes[start];
    while (end < bytes.length && bytes[end] === byte) end++;
    parts.push(`${end - start}×${byte}`);
  }
  return parts.join(' ');
}

/**
 * Runs a step, with its positions counted from `base` on; `fill` is the byte that a write writes. A read's answer has
 * its bytes in it.
 */
export function run(step: Step, file: File, base: number, fill: number): unknown {
  switch (step.call) {
    case 'write':
      return answer(() => file.write(new Uint8Array(step.length).fill(fill), base + step.offset));
    case 'read': {
      const bytes = new Uint8Array(step.length).fill(0xee);
      return [answer(() => file.read(bytes, base + step.offset)), runs(bytes)];
    }
    case 'times':
      return answer(() => file.times(step.atime, step.mtime));
    case 'truncate':
      return answer(() => file.truncate(base + step.size));
    case 'fallocate':
      return answer(() => file.fallocate(step.mode, base + step.offset, step.length));
  }
}

/** All of a file from `base` on that can be seen, with its times in words. */
export function state(fd: number, base: number) {
  const { size, blocks, atimeMs, mtimeMs } = fstatSync(fd);
  const content = Buffer.alloc(Math.max(0, size - base));
  readSync(fd, content, 0, content.length, base);
  const times = [atimeMs, mtimeMs].map((ms) => inWords(ms / 1000));
  return { size, blocks, times, data: dataRuns(fd, size), content: runs(content) };
}

/** The same of a buffer, with what only it can tell. */
export function bufferState(buffer: RamBuffer, base: number) {
  const { size, blocks, atime, mtime } = buffer.stat();
  const times = [atime, mtime].map(({ sec }) => inWords(sec));
  const { data, content } = state(buffer.state.noatime, base);
  return { size, blocks, times, data, content };
}

/** Where data starts and ends, as SEEK_DATA and SEEK_HOLE tell it. */
function dataRuns(fd: number, size: number): number[] {
  const runs: number[] = [];
  let at = 0;
  while (at < size) {
    try {
      at = lseek(fd, at, SEEK_DATA);
    } catch (error) {
      if (error instanceof Errno && error.errno === ENXIO) break;
      throw error;
    }
    runs.push(at);
    at = lseek(fd, at, SEEK_HOLE);
    runs.push(at);
  }
  return runs;
}

/** Near a page's start as often as not, within twice the limit. */
const position = fc
  .tuple(fc.nat(2 * PAGES), fc.constantFrom(0, 0, 1, 100, PAGE - 1))
  .map(([page, within]) => page * PAGE + within);
const length = fc
  .tuple(fc.nat(PAGES + 2), fc.constantFrom(0, 0, 1, 100, PAGE - 1))
  .map(([page, within]) => page * PAGE + within);
const served = [0, KEEP_SIZE, PUNCH_HOLE | KEEP_SIZE, ZERO_RANGE, ZERO_RANGE | KEEP_SIZE];
/** No mode, PUNCH_HOLE alone, COLLAPSE_RANGE, INSERT_RANGE, UNSHARE_RANGE, and two at once. */
const refused = [0x80, PUNCH_HOLE, 0x08, 0x20, 0x40, PUNCH_HOLE | ZERO_RANGE];
const mode = fc.oneof(
  { weight: 10, arbitrary: fc.constantFrom(...served) },
  { weight: 1, arbitrary: fc.constantFrom(...refused) },
);

const time = fc.constantFrom(LONG_AGO, LONG_AGO, FUTURE);

export const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ call: fc.constant('write' as const), offset: position, length }) },
  { weight: 2, arbitrary: fc.record({ call: fc.constant('read' as const), offset: position, length }) },
  { weight: 2, arbitrary: fc.record({ call: fc.constant('truncate' as const), size: position }) },
  { weight: 1, arbitrary: fc.record({ call: fc.constant('times' as const), atime: time, mtime: time }) },
  {
    weight: 4,
    arbitrary: fc.record({ call: fc.constant('fallocate' as const), mode, offset: position, length }),
  },
);
