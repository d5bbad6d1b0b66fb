import type { TestProject } from 'vitest/node';
import { startRun } from './run.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** The directory of the test run. */
    runDir: string;
  }
}

/** Starts the run that all test files belong to. Its end fails when something was left behind. */
export default function setup(project: TestProject): () => void {
  const run = startRun();
  project.provide('runDir', run.dir);
  return () => {
    const left = run.end();
    if (left.length > 0) throw new Error(`The tests left behind:\n${left.join('\n')}`);
  };
}
