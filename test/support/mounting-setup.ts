import { afterAll, inject } from 'vitest';
import { sweep } from './run.ts';

/** What a test file mounts and starts ends with it. No other file's tests run beside it. */
afterAll(() => {
  const left = sweep(inject('runDir'));
  if (left.length > 0) throw new Error(`This file's tests left behind:\n${left.join('\n')}`);
});
