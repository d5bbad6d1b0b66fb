import { statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { Random } from '../bytes/random.ts';
import type { Files } from '../random/content.ts';
import { Pair } from '../random/pair.ts';
import type { Call, Step } from '../random/step.ts';
import { SEEDS } from '../support/seed.ts';
import { opened, type Region, stepIn } from './regions.ts';

export interface Task {
  readonly files: Files;
  readonly region: Region;
  readonly lacks: readonly Call[];
  /** What its calls are made from. */
  readonly seed: number;
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

/** Steps without an end. */
function* stepsOf({ region, lacks, seed }: Task): Generator<Step> {
  // Everywhere alike, and not most often at the edges.
  const step = fc.noBias(stepIn(region, lacks));
  const seeds = new Random(seed);
  for (;;) yield* fc.sample(step, { seed: seeds.below(SEEDS), numRuns: 100 });
}

async function play(task: Task): Promise<Done> {
  const { files, ms } = task;
  using pair = new Pair(files);
  let written = 0;
  let read = 0;
  let began = performance.now();
  const end = began + ms;
  try {
    for (const step of opened) pair.play(step);
    for (const step of stepsOf(task)) {
      // It would count around to where others work.
      if (step.call === 'mmapWrite' && Number(step.at) >= statSync(files.mirror).size) continue;
      const answer = pair.play(step);
      if (Buffer.isBuffer(answer)) read += answer.length;
      else if (typeof answer === 'number' && /write|copy/i.test(step.call)) written += answer;
      else if (step.call === 'mmapWrite') written += step.length;
      const now = performance.now();
      if (now >= end) break;
      if (now - began < WORK) continue;
      await sleep((now - began) * REST);
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
