import { constants } from 'node:fs';
import { FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE } from '../../src/sys/memfd.ts';
import { Random } from '../bytes/random.ts';
import { type Answer, type ErrnoName, failed, must } from './answer.ts';
import { alignedBuffer, isPatternOrHole, isUniform, pattern } from './bytes.ts';
import { calls } from './calls/index.ts';
import { seed } from './seed.ts';

const { O_RDWR, O_WRONLY, O_RDONLY, O_APPEND } = constants;

/** How often each outcome came: `data` for what was right, `torn` for what wasn't, or an error's name. */
export type Tally = Record<string, number>;

type Outcome = 'data' | 'torn' | ErrnoName;

/** How long a load waits for a file that isn't there, in milliseconds. */
const PAUSE = 2;
const still = new Int32Array(new SharedArrayBuffer(4));

/** Makes steps for `ms` milliseconds. */
function loop(ms: number, step: () => Outcome): Tally {
  const tally: Tally = {};
  const end = Date.now() + ms;
  while (Date.now() < end) {
    const outcome = step();
    tally[outcome] = (tally[outcome] ?? 0) + 1;
    // While the file isn't there, whoever brings it back needs the CPU more.
    if (outcome === 'ENOENT') Atomics.wait(still, 0, 0, PAUSE);
  }
  return tally;
}

function outcome<T>(result: Answer<T>, right: (result: T) => boolean): Outcome {
  if (failed(result)) return result;
  return right(result) ? 'data' : 'torn';
}

/** Opens the file for a load, and closes it behind it. */
function holding(path: string, flags: number, load: (fd: number) => Tally): Tally {
  const fd = must(calls.open(path, flags));
  try {
    return load(fd);
  } finally {
    calls.close(fd);
  }
}

let numbers: Random | undefined;

/** From 0 to `below` - 1, the same in each run with the same seed. */
function random(below: number): number {
  numbers ??= new Random(seed());
  return numbers.below(below);
}

/** Room for the file in which writers, truncation and readers meet, in bytes. */
const MEETING_SIZE = 256 * 1024;
const MEETING_PIECE = 16 * 1024;

/** What a client process does for a while. Each opens the file for itself, and returns a Tally. */
export const loads = {
  /** Overwrites the first `length` bytes again and again, each time with one letter all over. */
  writeUniform: (path: string, length: number, ms: number): Tally =>
    holding(path, O_WRONLY, (fd) => {
      const bytes = alignedBuffer(length);
      let letter = 0;
      return loop(ms, () => {
        bytes.fill(++letter % 255);
        return outcome(calls.pwrite(fd, bytes, 0), (count) => count === length);
      });
    }),

  /** Reads the first `length` bytes: torn when they aren't of one writing. */
  readUniform: (path: string, length: number, ms: number): Tally =>
    holding(path, O_RDONLY, (fd) => {
      const bytes = alignedBuffer(length);
      return loop(ms, () =>
        outcome(calls.preadInto(fd, bytes, 0), (count) => count === length && isUniform(bytes)),
      );
    }),

  /** Writes pieces of the pattern to where they belong. */
  writePattern: (path: string, ms: number): Tally =>
    holding(path, O_WRONLY, (fd) =>
      loop(ms, () => {
        const offset = random(MEETING_SIZE);
        const length = 1 + random(MEETING_PIECE);
        return outcome(calls.pwrite(fd, pattern(offset, length), offset), (count) => count === length);
      }),
    ),

  /** Reads pieces: torn when a byte is neither of the pattern nor zero. */
  readPattern: (path: string, ms: number): Tally =>
    holding(path, O_RDONLY, (fd) =>
      loop(ms, () => {
        const offset = random(MEETING_SIZE);
        return outcome(calls.pread(fd, 1 + random(MEETING_PIECE), offset), (bytes) =>
          isPatternOrHole(bytes, offset),
        );
      }),
    ),

  /** Cuts the file, makes it longer, and punches holes. */
  resize: (path: string, ms: number): Tally =>
    holding(path, O_RDWR, (fd) =>
      loop(ms, () => {
        const size = random(MEETING_SIZE);
        const change =
          random(4) === 0
            ? calls.fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, size, 1 + random(MEETING_PIECE))
            : calls.ftruncate(fd, size);
        return outcome(change, (result) => result === 0);
      }),
    ),

  /** Opens the file, appends, reads, and closes: what a client goes through while the file comes and goes. */
  openAndUse: (path: string, ms: number): Tally =>
    loop(ms, () => {
      const fd = calls.open(path, O_RDWR | O_APPEND);
      if (failed(fd)) return fd;
      try {
        const written = calls.write(fd, pattern(0, 4096));
        if (failed(written)) return written;
        return outcome(calls.pread(fd, 4096, 0), (bytes) => bytes.length > 0);
      } finally {
        calls.close(fd);
      }
    }),

  /** Keeps the file open, and reads and writes, whatever comes of it. */
  holdAndUse: (path: string, ms: number): Tally =>
    holding(path, O_RDWR, (fd) =>
      loop(ms, () => {
        const written = calls.pwrite(fd, pattern(0, 4096), 0);
        return failed(written) ? written : outcome(calls.pread(fd, 4096, 0), (bytes) => bytes.length > 0);
      }),
    ),

  /** Writes and reads pieces of the pattern through one descriptor until a call fails, and then through a new one. */
  reopenAndUse(path: string, ms: number): Tally {
    let fd: Answer<number> = 'ENOENT';
    const step = (at: number): Outcome => {
      const offset = random(MEETING_SIZE);
      const written = calls.pwrite(at, pattern(offset, 4096), offset);
      if (failed(written)) return written;
      return outcome(calls.pread(at, 4096, offset), (bytes) => isPatternOrHole(bytes, offset));
    };
    const tally = loop(ms, () => {
      if (failed(fd)) fd = calls.open(path, O_RDWR);
      if (failed(fd)) return fd;
      const result = step(fd);
      if (failed(result)) {
        calls.close(fd);
        fd = result;
      }
      return result;
    });
    if (!failed(fd)) calls.close(fd);
    return tally;
  },

  /** Has `count` descriptors open at once, and writes and reads through each in turn. */
  openMany(path: string, count: number): Tally {
    const tally: Tally = {};
    const fds: number[] = [];
    try {
      for (let i = 0; i < count; i++) fds.push(must(calls.open(path, O_RDWR)));
      for (const [i, fd] of fds.entries()) {
        const written = must(calls.pwrite(fd, pattern(i, 10), i));
        const result = outcome(calls.pread(fd, written, i), (bytes) => bytes.equals(pattern(i, 10)));
        tally[result] = (tally[result] ?? 0) + 1;
      }
      return tally;
    } finally {
      for (const fd of fds) calls.close(fd);
    }
  },
};
