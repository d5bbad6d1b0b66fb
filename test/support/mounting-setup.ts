import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll } from 'vitest';
import { isRunning, runDir, sweep } from './run.ts';

/** Until what is still running counts as left behind, in tenths of a second. */
const PATIENCE = 300;

/** What a test file mounts and starts ends with it. */
afterAll(async () => {
  const dir = runDir();
  for (let i = 0; i < PATIENCE && isRunning(dir); i++) await sleep(100);
  const left = sweep(dir);
  if (left.length > 0) throw new Error(`This file's tests left behind:\n${left.join('\n')}`);
});
