import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, inject } from 'vitest';
import { isRunning, sweep } from './run.ts';

/** Until what is still running counts as left behind, in tenths of a second. */
const PATIENCE = 50;

/** What a test file mounts and starts ends with it. No other file's tests run beside it. */
afterAll(async () => {
  const dir = inject('runDir');
  for (let i = 0; i < PATIENCE && isRunning(dir); i++) await sleep(100);
  const left = sweep(dir);
  if (left.length > 0) throw new Error(`This file's tests left behind:\n${left.join('\n')}`);
});
