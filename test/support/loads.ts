import { constants, existsSync } from 'node:fs';
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

/** When a load ends: after some milliseconds, when the file has gone so often after it could be used, or when there is another file. */
export type End = { readonly ms: number } | { readonly losses: number } | { readonly sign: string };

/** Makes steps, one at least. */
function loop(end: End, step: () => Outcome): Tally {
  const tally: Tally = {};
  const started = performance.now();
  let wasThere = false;
  let losses = 0;
  do {
    const outcome = step();
    tally[outcome] = (tally[outcome] ?? 0) + 1;
    if (outcome === 'data') wasThere = true;
    if (outcome !== 'ENOENT') continue;
    if (wasThere) losses++;
    wasThere = false;
    // Whoever brings the file back needs the CPU more.
    Atomics.wait(still, 0, 0, PAUSE);
  } while (goesOn());
  return tally;

  function goesOn(): boolean {
    if ('ms' in end) return performance.now() - started < end.ms;
    return 'losses' in end ? losses < end.losses : !existsSync(end.sign);
  }
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
  writeUniform: (path: string, length: number, end: End): Tally =>
    holding(path, O_WRONLY, (fd) => {
      const bytes = alignedBuffer(length);
      let letter = 0;
      return loop(end, () => {
        bytes.fill(++letter % 255);
        return outcome(calls.pwrite(fd, bytes, 0), (count) => count === length);
      });
    }),

  /** Reads the first `length` bytes: torn when they aren't of one writing. */
  readUniform: (path: string, length: number, ms: number): Tally =>
    holding(path, O_RDONLY, (fd) => {
      const bytes = alignedBuffer(length);
      return loop({ ms }, () =>
        outcome(calls.preadInto(fd, bytes, 0), (count) => count === length && isUniform(bytes)),
      );
    }),

  /** Writes pieces of the pattern to where they belong. */
  writePattern: (path: string, ms: number): Tally =>
    holding(path, O_WRONLY, (fd) =>
      loop({ ms }, () => {
        const offset = random(MEETING_SIZE);
        const length = 1 + random(MEETING_PIECE);
        return outcome(calls.pwrite(fd, pattern(offset, length), offset), (count) => count === length);
      }),
    ),

  /** Reads pieces: torn when a byte is neither of the pattern nor zero. */
  readPattern: (path: string, ms: number): Tally =>
    holding(path, O_RDONLY, (fd) =>
      loop({ ms }, () => {
        const offset = random(MEETING_SIZE);
        return outcome(calls.pread(fd, 1 + random(MEETING_PIECE), offset), (bytes) =>
          isPatternOrHole(bytes, offset),
        );
      }),
    ),

  /** Cuts the file, makes it longer, and punches holes. */
  resize: (path: string, ms: number): Tally =>
    holding(path, O_RDWR, (fd) =>
      loop({ ms }, () => {
        const size = random(MEETING_SIZE);
        const change =
          random(4) === 0
            ? calls.fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, size, 1 + random(MEETING_PIECE))
            : calls.ftruncate(fd, size);
        return outcome(change, (result) => result === 0);
      }),
    ),

  /** Opens the file, appends, reads, and closes: what a client goes through while the file comes and goes. */
  openAndUse: (path: string, end: End): Tally =>
    loop(end, () => {
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
  holdAndUse: (path: string, end: End): Tally =>
    holding(path, O_RDWR, (fd) =>
      loop(end, () => {
        const written = calls.pwrite(fd, pattern(0, 4096), 0);
        return failed(written) ? written : outcome(calls.pread(fd, 4096, 0), (bytes) => bytes.length > 0);
      }),
    ),

  /** Writes and reads pieces of the pattern through one descriptor until a call fails, and then through a new one. */
  reopenAndUse(path: string, end: End): Tally {
    let fd: Answer<number> = 'ENOENT';
    const step = (at: number): Outcome => {
      const offset = random(MEETING_SIZE);
      const written = calls.pwrite(at, pattern(offset, 4096), offset);
      if (failed(written)) return written;
      return outcome(calls.pread(at, 4096, offset), (bytes) => isPatternOrHole(bytes, offset));
    };
    const tally = loop(end, () => {
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

  /** Opens the file `count` times. */
  openMany: (path: string, count: number): number[] =>
    Array.from({ length: count }, () => must(calls.open(path, O_RDWR))),

  /** Writes and reads through each of many descriptors in turn, and then closes them. */
  useMany(fds: readonly number[]): Tally {
    const tally: Tally = {};
    for (const [i, fd] of fds.entries()) {
      const written = must(calls.pwrite(fd, pattern(i, 10), i));
      const result = outcome(calls.pread(fd, written, i), (bytes) => bytes.equals(pattern(i, 10)));
      tally[result] = (tally[result] ?? 0) + 1;
    }
    for (const fd of fds) must(calls.close(fd));
    return tally;
  },
};
