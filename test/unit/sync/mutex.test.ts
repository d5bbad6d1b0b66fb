import { once } from 'node:events';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { Mutex } from '../../../src/sync/mutex.ts';
import { compiled } from '../../support/run.ts';
import type { MutexWorkerData } from './mutex-worker.ts';
import { WORDS, Word } from './words.ts';

/** Starts threads that wait for `start`, which lets them all go at once and resolves with what each of them says. */
async function threads(
  count: number,
  data: Pick<MutexWorkerData, 'act'> & Partial<MutexWorkerData>,
): Promise<{ mutex: Mutex<string>; words: Int32Array; start(): Promise<number[]> }> {
  const mutex = data.mutex ?? Mutex.allocate();
  const memory = new SharedArrayBuffer(WORDS * Int32Array.BYTES_PER_ELEMENT);
  const workers = Array.from({ length: count }, () => {
    const workerData: MutexWorkerData = { mutex, memory, rounds: 1, hold: 0, ...data };
    return new Worker(compiled(join(import.meta.dirname, 'mutex-worker.ts')), { workerData });
  });
  await Promise.all(workers.map((worker) => once(worker, 'message')));
  const words = new Int32Array(memory);
  return {
    mutex: new Mutex(mutex, 'the value'),
    words,
    async start() {
      const answers = workers.map((worker) => once(worker, 'message'));
      const ends = workers.map((worker) => once(worker, 'exit'));
      Atomics.store(words, Word.START, 1);
      Atomics.notify(words, Word.START);
      const said = await Promise.all(answers);
      await Promise.all(ends);
      return said.map(([answer]) => Number(answer));
    },
  };
}

describe('the mutex', () => {
  test('lets one thread in at a time: no increment is lost', async () => {
    const { words, start } = await threads(4, { act: 'count', rounds: 50_000 });
    expect(await start()).toEqual([0, 0, 0, 0]);
    expect(words[Word.COUNTER]).toBe(200_000);
  });

  test('wakes everybody who sleeps on it: none is left behind', async () => {
    // Longer inside than anybody spins, so that all others sleep and each must be woken by the one before.
    const { words, start } = await threads(6, { act: 'count', rounds: 50, hold: 1 });
    expect(await start()).toEqual(Array(6).fill(0));
    expect(words[Word.COUNTER]).toBe(300);
  });

  test('holds off the others while one thread has it', async () => {
    const { mutex, words, start } = await threads(2, { act: 'count', rounds: 10 });
    expect(mutex.lock()).toBe('the value');
    const done = start();
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(words[Word.COUNTER]).toBe(0);
    mutex.unlock();
    expect(await done).toEqual([0, 0]);
    expect(words[Word.COUNTER]).toBe(20);
  });
});

describe('a mutex whose owner ended', () => {
  test('is taken over by one who waits, once, after the value is recovered', async () => {
    const mutex = Mutex.allocate();
    const dying = await threads(1, { act: 'die', mutex });
    const counting = await threads(4, { act: 'count', mutex, rounds: 1000 });
    expect(await dying.start()).toEqual([0]);
    const recovered: string[] = [];
    const lock = new Mutex(mutex, 'the value', (value) => recovered.push(value));
    expect(lock.lock()).toBe('the value');
    expect(recovered).toEqual(['the value']);
    const done = counting.start();
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(counting.words[Word.COUNTER], 'the owner lives, and nobody else gets in').toBe(0);
    lock.unlock();
    expect(await done).toEqual([0, 0, 0, 0]);
    expect(counting.words[Word.COUNTER]).toBe(4000);
    expect(recovered).toHaveLength(1);
  });

  test('wakes those who had slept on it already', async () => {
    const mutex = Mutex.allocate();
    const lock = new Mutex(mutex, 'the value');
    lock.lock();
    const dying = await threads(1, { act: 'die', mutex });
    const died = dying.start();
    await new Promise((resolve) => setTimeout(resolve, 50));
    const counting = await threads(3, { act: 'count', mutex, rounds: 10 });
    const counted = counting.start();
    await new Promise((resolve) => setTimeout(resolve, 50));
    lock.unlock();
    expect(await died).toEqual([0]);
    expect(await counted).toEqual([0, 0, 0]);
    expect(counting.words[Word.COUNTER]).toBe(30);
  });
});

describe('the value', () => {
  test('is seen as taken by every thread, from the moment that it was', async () => {
    const { mutex, words, start } = await threads(3, { act: 'watch' });
    const done = start();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(mutex.take()).toBe('the value');
    Atomics.store(words, Word.TAKEN, 1);
    expect(await done).toEqual([0, 0, 0]);
  });

  test('goes to one taker alone', async () => {
    const { mutex, start } = await threads(4, { act: 'take' });
    const took = await start();
    expect(took.reduce((sum, one) => sum + one, 0)).toBe(1);
    expect(mutex.take()).toBeNull();
  });

  test('is there again and again until it is taken, and the lock is held in both cases', () => {
    const memory = Mutex.allocate();
    const [one, other] = [new Mutex(memory, 1), new Mutex(memory, 2)];
    for (let round = 0; round < 3; round++) {
      expect(one.lock()).toBe(1);
      one.unlock();
      expect(other.lock()).toBe(2);
      other.unlock();
    }
    expect(one.take()).toBe(1);
    expect(other.lock()).toBeNull();
    other.unlock();
    expect(one.lock()).toBeNull();
    one.unlock();
    expect(other.take()).toBeNull();
  });
});
