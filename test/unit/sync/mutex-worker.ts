/** A thread of the mutex test: does what its workerData says, on memory that all threads share. */
import { parentPort, workerData } from 'node:worker_threads';
import { Mutex } from '../../../src/sync/mutex.ts';
import { Word } from './words.ts';

export interface MutexWorkerData {
  readonly act: 'count' | 'take' | 'watch' | 'die';
  readonly mutex: SharedArrayBuffer;
  /** Indexes as in `Word`. */
  readonly memory: SharedArrayBuffer;
  readonly rounds: number;
  /** How long to stay inside the lock, in milliseconds. 0: as short as can be. */
  readonly hold: number;
}

const { act, mutex, memory, rounds, hold }: MutexWorkerData = workerData;
const lock = new Mutex(mutex, 'the value');
const words = new Int32Array(memory);
const never = new Int32Array(new SharedArrayBuffer(4));

/** Adds one without Atomics, and with a gap between load and store. Returns whether another thread was inside too. */
function increment(): boolean {
  const alone = Atomics.add(words, Word.INSIDE, 1) === 0;
  const count = words[Word.COUNTER] ?? 0;
  if (hold > 0) Atomics.wait(never, 0, 0, hold);
  words[Word.COUNTER] = count + 1;
  Atomics.sub(words, Word.INSIDE, 1);
  return !alone;
}

function count(): number {
  let crowded = 0;
  for (let round = 0; round < rounds; round++) {
    lock.lock();
    if (increment()) crowded++;
    lock.unlock();
  }
  return crowded;
}

/** Locks until the value is gone. Returns how often it was there although somebody had it already. */
function watch(): number {
  let late = 0;
  for (;;) {
    const taken = Atomics.load(words, Word.TAKEN) === 1;
    const value = lock.lock();
    lock.unlock();
    if (value === null) return late;
    if (taken) late++;
  }
}

/** Ends this thread, and it alone, with the lock held. */
function die(): number {
  lock.lock();
  parentPort?.postMessage(0);
  process.exit();
}

parentPort?.postMessage('ready');
Atomics.wait(words, Word.START, 0);
const acts = { count, watch, die, take: () => (lock.take() === null ? 0 : 1) };
parentPort?.postMessage(acts[act]());
