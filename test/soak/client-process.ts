import { setTimeout as sleep } from 'node:timers/promises';
import type { Step } from '../random/step.ts';
import { type Files, Pair } from './pair.ts';
import { randomStep } from './random-step.ts';
import type { Region } from './regions.ts';

export interface Task {
  readonly files: Files;
  readonly region: Region;
  readonly lacks: readonly Step['call'][];
  /** For how long, in milliseconds. */
  readonly ms: number;
}

export interface Done {
  /** All calls, in their order. */
  readonly steps: readonly Step[];
  readonly written: number;
  readonly read: number;
  /** What was wrong with the last one. */
  readonly failure?: string;
}

/** How long a client works before it rests, in milliseconds, and how many times as long it rests. */
const WORK = 10;
const REST = 3;

async function play({ files, region, lacks, ms }: Task): Promise<Done> {
  using pair = new Pair(files);
  let written = 0;
  let read = 0;
  let began = performance.now();
  const end = began + ms;
  try {
    while (performance.now() < end) {
      const step = randomStep(region, pair.size, lacks);
      const answer = pair.play(step);
      if (Buffer.isBuffer(answer)) read += answer.length;
      else if (typeof answer === 'number' && /write|copy/i.test(step.call)) written += answer;
      else if (step.call === 'mmapWrite') written += step.length;
      const worked = performance.now() - began;
      if (worked < WORK) continue;
      await sleep(worked * REST);
      began = performance.now();
    }
  } catch (error) {
    const failure = error instanceof Error ? error.message : String(error);
    return { steps: pair.steps, written, read, failure };
  }
  return { steps: pair.steps, written, read };
}

process.on('message', async (task: Task) => process.send?.(await play(task)));
process.on('disconnect', () => process.exit());
