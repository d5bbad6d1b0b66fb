import { afterAll, beforeEach, inject } from 'vitest';
import { joinRun, pulse, sweep } from './run.ts';

const dir = inject('runDir');
joinRun(dir);

beforeEach(pulse);

/** What a test file mounts and starts ends with it. */
afterAll(() => {
  const left = sweep(dir);
  if (left.length > 0) throw new Error(`This file's tests left behind:\n${left.join('\n')}`);
});
