/** A thread of the huge pages' test: does what its workerData says. */
import { fstatSync, readSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { UserSliceReader } from '../../src/proc-fs/user-slice.ts';
import { RamFile, type RamFileState } from '../../src/ram-file/ram-file.ts';
import { FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE } from '../../src/sys/memfd.ts';

export interface HugePagesWorkerData {
  readonly act: 'shrink' | 'read';
  readonly state: RamFileState;
  /** How long the file is, in pages, which are all there. */
  readonly pages: number;
  readonly rounds: number;
  readonly seed: number;
  /** One word, which is 1 once the readers may end. */
  readonly stop: Int32Array;
}

const PAGE = 4096;
const { act, state, pages, rounds, seed, stop }: HugePagesWorkerData = workerData;

/** Takes pages away and writes them again. Returns how often a call left more or less memory in use than it should. */
function shrink(): number {
  const file = new RamFile(state);
  const page = Buffer.alloc(PAGE, 'text');
  let wrong = 0;
  const look = (used: number) => {
    if (fstatSync(state.buffer.fd).blocks * 512 !== used * PAGE) wrong++;
  };
  let random = seed;
  const below = (most: number) => {
    random = (Math.imul(random, 1103515245) + 12345) >>> 0;
    return Math.floor((random / 2 ** 32) * most);
  };
  for (let round = 0; round < rounds; round++) {
    const first = below(pages);
    const count = round % 4 === 0 ? pages - first : Math.min(1 + below(100), pages - first);
    if (round % 4 === 0) file.truncate(first * PAGE - (first === 0 ? 0 : 10));
    else file.fallocate(null, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, first * PAGE, count * PAGE);
    look(pages - count);
    // Who makes huge pages just now is done by then.
    Atomics.wait(stop, 0, 0, 10);
    look(pages - count);
    for (let at = Math.max(0, first - 1); at < first + count; at++) {
      file.write(null, new UserSliceReader().place(page, 0, PAGE), at * PAGE);
    }
    look(pages);
  }
  return wrong;
}

/** Reads as clients do to whom the file is lent, until it may end. */
function read(): number {
  const bytes = Buffer.alloc(1 << 20);
  while (Atomics.load(stop, 0) === 0) {
    for (let at = 0; at < pages * PAGE; at += bytes.length)
      readSync(state.buffer.fd, bytes, 0, bytes.length, at);
  }
  return 0;
}

parentPort?.postMessage({ shrink, read }[act]());
