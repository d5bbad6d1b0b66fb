import { join } from 'node:path';
import { expect, test } from 'vitest';
import { EDEADLK } from '../../../src/sys/errno.ts';
import { run } from '../../support/mount.ts';
import { makeDir } from '../../support/run.ts';

test('a program that would wait for itself gets EDEADLK, is told why, and goes on', async () => {
  const program = join(import.meta.dirname, 'own-mount-program.mjs');
  const { status, stdout, stderr } = await run(process.execPath, program, makeDir('own'));
  // By its number: Node has no name for it.
  expect(stdout).toBe(`${EDEADLK}\n${EDEADLK}\nread\n\n`);
  expect(stderr).toMatch(
    /^ramproc: the thread that serves a mount called into it \([A-Z]+\), and would wait for itself for ever: EDEADLK\. Use the asynchronous functions of fs there\.$/m,
  );
  expect(status).toBe(0);
});
