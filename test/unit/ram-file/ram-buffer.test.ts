import { closeSync, fstatSync, ftruncateSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ENXIO, Errno } from '../../../src/abi/errno.ts';
import { RamBuffer } from '../../../src/ram-file/ram-buffer.ts';
import {
  fallocate,
  futimens,
  FALLOC_FL_KEEP_SIZE as KEEP_SIZE,
  lseek,
  O_NOATIME,
  FALLOC_FL_PUNCH_HOLE as PUNCH_HOLE,
  SEEK_DATA,
  SEEK_HOLE,
  type Timespec,
  FALLOC_FL_ZERO_RANGE as ZERO_RANGE,
} from '../../../src/sys/memfd.ts';
import { Tmpfs } from '../../support/tmpfs.ts';

const PAGE = 4096;
const PAGES = 8;
const LIMIT = PAGES * PAGE;

/** What `times` sets: whether a file was read or changed since is then plain to see. */
const LONG_AGO: Timespec = { sec: 1000, nsec: 0 };

/** A call on the file, with numbers that shrink well and print as what they are. */
type Step =
  | { call: 'write' | 'read'; offset: number; length: number }
  | { call: 'truncate'; size: number }
  | { call: 'times' }
  | { call: 'fallocate'; mode: number; offset: number; length: number };

/** A file that such calls can be made on. Each answers a number, or throws an Errno. */
interface File {
  write(bytes: Uint8Array, offset: number): number;
  read(bytes: Uint8Array, offset: number): number;
  truncate(size: number): void;
  /** Sets atime and mtime. */
  times(time: Timespec): void;
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

function ours(buffer: RamBuffer): File {
  return {
    write: (bytes, offset) => buffer.write(bytes, 0, bytes.length, offset),
    read: (bytes, offset) => buffer.read(bytes, 0, bytes.length, offset),
    truncate: (size) => buffer.truncate(size),
    times: (time) => buffer.setTimes(time, time),
    fallocate: (mode, offset, length) => buffer.fallocate(mode, offset, length),
  };
}

/** The same calls on a descriptor. tmpfs has no ZERO_RANGE: what it would be in terms of what tmpfs has. */
function ofDescriptor(fd: number): File {
  return {
    write: (bytes, offset) => writeSync(fd, bytes, 0, bytes.length, offset),
    read: (bytes, offset) => readSync(fd, bytes, 0, bytes.length, offset),
    truncate: (size) => ftruncateSync(fd, size),
    times: (time) => futimens(fd, time, time),
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

/** Runs a step; `fill` is the byte that a write writes. A read's answer has its bytes in it. */
function run(step: Step, file: File, fill: number): unknown {
  switch (step.call) {
    case 'write':
      return answer(() => file.write(new Uint8Array(step.length).fill(fill), step.offset));
    case 'read': {
      const bytes = new Uint8Array(step.length).fill(0xee);
      return [answer(() => file.read(bytes, step.offset)), runs(bytes)];
    }
    case 'times':
      return answer(() => file.times(LONG_AGO));
    case 'truncate':
      return answer(() => file.truncate(step.size));
    case 'fallocate':
      return answer(() => file.fallocate(step.mode, step.offset, step.length));
  }
}

/** All of a file that can be seen, and whether it was read or changed since `times`. */
function state(fd: number) {
  const { size, blocks, atimeMs, mtimeMs } = fstatSync(fd);
  const content = Buffer.alloc(size);
  readSync(fd, content, 0, size, 0);
  const [wasRead, wasChanged] = [atimeMs, mtimeMs].map((ms) => ms !== LONG_AGO.sec * 1000);
  return { size, blocks, wasRead, wasChanged, data: dataRuns(fd, size), content: runs(content) };
}

/** The same of a buffer, with what only it can tell. */
function bufferState(buffer: RamBuffer) {
  const { size, blocks, atime, mtime } = buffer.stat();
  const [wasRead, wasChanged] = [atime, mtime].map(({ sec }) => sec !== LONG_AGO.sec);
  const { data, content } = state(buffer.state.noatime);
  return { size, blocks, wasRead, wasChanged, data, content };
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
const mode = fc.constantFrom(0, KEEP_SIZE, PUNCH_HOLE | KEEP_SIZE, ZERO_RANGE, ZERO_RANGE | KEEP_SIZE);

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ call: fc.constant('write' as const), offset: position, length }) },
  { weight: 2, arbitrary: fc.record({ call: fc.constant('read' as const), offset: position, length }) },
  { weight: 2, arbitrary: fc.record({ call: fc.constant('truncate' as const), size: position }) },
  { weight: 1, arbitrary: fc.record({ call: fc.constant('times' as const) }) },
  {
    weight: 4,
    arbitrary: fc.record({ call: fc.constant('fallocate' as const), mode, offset: position, length }),
  },
);

/** A buffer and a file of a tmpfs with the same limit, which calls are made on in turns. */
class Pair implements Disposable {
  readonly #tmpfs = new Tmpfs(LIMIT);
  readonly buffer: RamBuffer;
  /** Descriptors of the tmpfs's only file: one for calls, and one to look at it without a trace. */
  readonly fd: number;
  readonly #noatime: number;

  constructor(lent: boolean) {
    this.buffer = RamBuffer.create({ name: 'test', maxSize: LIMIT, lent });
    const path = join(this.#tmpfs.dir, 'file');
    this.fd = openSync(path, 'wx+');
    this.#noatime = openSync(path, O_NOATIME);
    unlinkSync(path);
  }

  [Symbol.dispose](): void {
    this.buffer.free();
    closeSync(this.fd);
    closeSync(this.#noatime);
    this.#tmpfs[Symbol.dispose]();
  }

  /** Runs the steps on both, from empty on, and compares every answer, and after each step all that can be seen. */
  compare(steps: readonly Step[]): void {
    const { buffer, fd } = this;
    const [mine, theirs] = [ours(buffer), ofDescriptor(fd)];
    for (const file of [mine, theirs]) {
      file.truncate(0);
      file.times(LONG_AGO);
    }
    for (const [i, step] of steps.entries()) {
      const fill = (i % 200) + 1;
      const expected = run(step, theirs, fill);
      expect({ step: i, answer: run(step, mine, fill) }).toEqual({ step: i, answer: expected });
      const seen = bufferState(buffer);
      expect({ step: i, ...seen }).toEqual({ step: i, ...state(this.#noatime) });
      expect(seen.blocks * 512).toBeLessThanOrEqual(LIMIT);
      expect(buffer.size).toBe(seen.size);
      expect(buffer.pages).toEqual({ used: (seen.blocks * 512) / PAGE, max: PAGES, size: PAGE });
    }
  }
}

const numRuns = Number(process.env.RUNS ?? 1500);

describe.each([
  ['memfd', false],
  ['file lent to the kernel', true],
])('a RamBuffer on a %s is a file of a tmpfs with the same size=', (_, lent) => {
  test('whatever sequence of calls it gets', { timeout: 120_000 }, () => {
    using pair = new Pair(lent);
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 12 }), (steps) => pair.compare(steps)),
      { numRuns },
    );
  });
});
