import type { TestProject } from 'vitest/node';
import { startRun } from './run.ts';
import { SEEDS } from './seed.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** The directory of the test run. */
    runDir: string;
    /** What all that is random in the run is made from. */
    seed: number;
    /** What npm needs in its environment to reach a registry, as words of env(1). */
    certificates: string[];
  }
}

/** Starts the run that all test files belong to. Its end fails when something was left behind. */
export default async function setup(project: TestProject): Promise<() => void> {
  // Every start of Node would read these, which takes longer than all else that it does.
  const { NODE_EXTRA_CA_CERTS: certificates } = process.env;
  delete process.env.NODE_EXTRA_CA_CERTS;
  project.provide('certificates', certificates === undefined ? [] : [`NODE_EXTRA_CA_CERTS=${certificates}`]);
  const run = await startRun();
  project.provide('runDir', run.dir);
  const seed = (project.vitest.config.sequence.seed ?? Date.now()) % SEEDS;
  project.provide('seed', seed);
  console.log(`What is random is made from a seed; the same again: npm test -- --seed ${seed}`);
  return () => {
    const left = run.end();
    if (left.length > 0) throw new Error(`The tests left behind:\n${left.join('\n')}`);
  };
}
