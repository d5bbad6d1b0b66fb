import type { TestProject } from 'vitest/node';
import { startRun } from './run.ts';
import { SEEDS } from './seed.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** The directory of the test run. */
    runDir: string;
    /** What all that is random in the run is made from. */
    seed: number;
  }
}

/** Starts the run that all test files belong to. Its end fails when something was left behind. */
export default function setup(project: TestProject): () => void {
  const run = startRun();
  project.provide('runDir', run.dir);
  const seed = (project.vitest.config.sequence.seed ?? Date.now()) % SEEDS;
  project.provide('seed', seed);
  console.log(`What is random is made from a seed; the same again: npm test -- --seed ${seed}`);
  return () => {
    const left = run.end();
    if (left.length > 0) throw new Error(`The tests left behind:\n${left.join('\n')}`);
  };
}
