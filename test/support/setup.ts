import { rmSync } from 'node:fs';
import { relative } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeEach, expect, inject } from 'vitest';
import { joinRunWithFile, pulse } from './run.ts';
import { plantSeed } from './seed.ts';

const dir = joinRunWithFile(inject('runDir'));

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

// A test that waits for something is ended by the runner; one that is stuck in a call ends no timer's wait either.
beforeEach(pulse);
const pulsing = setInterval(pulse, 1000).unref();
afterAll(() => {
  clearInterval(pulsing);
  rmSync(dir, { recursive: true, force: true });
});

// Below another shell bash reads no ~/.bashrc, which it does when its standard input is a socket, as a child's of ours is: bash(1).
process.env.SHLVL = '2';
