import { relative } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeEach, expect, inject } from 'vitest';
import { joinRun, pulse, sweep } from './run.ts';
import { plantSeed } from './seed.ts';

const dir = inject('runDir');
joinRun(dir);

const seed = inject('seed');
plantSeed(seed);
fc.configureGlobal({
  seed,
  reporter(details) {
    if (!details.failed) return;
    const file = relative(process.cwd(), expect.getState().testPath ?? '');
    const again = `npm test -- ${file} --seed ${seed}`;
    throw new Error(`${fc.defaultReportMessage(details)}\n\nThe same again: ${again}`, {
      cause: details.errorInstance,
    });
  },
});

beforeEach(pulse);

/** What a test file mounts and starts ends with it. */
afterAll(() => {
  const left = sweep(dir);
  if (left.length > 0) throw new Error(`This file's tests left behind:\n${left.join('\n')}`);
});
