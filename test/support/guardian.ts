import { rmSync, statSync } from 'node:fs';
import { sweep } from './run.ts';

/**
 * Cleans up behind a test run that can't do so itself. Its standard input is a pipe from the run's process: the end of
 * that pipe is the end of the process, whatever ended it.
 *
 * A run that gives no sign of life any more hangs in a system call: ending the daemons makes the call return, and the test
 * fails.
 */
const [, , dir = '', stuckAfter = ''] = process.argv;

process.stdin.resume().on('end', () => {
  sweep(dir);
  rmSync(dir, { recursive: true, force: true });
  process.exit();
});

setInterval(() => {
  const silent = (Date.now() - statSync(dir).mtimeMs) / 1000;
  if (silent < Number(stuckAfter)) return;
  console.error(
    `The tests have been stuck in a call for ${Math.round(silent)} s; ending what the run has started:`,
  );
  for (const line of sweep(dir)) console.error(`  ${line}`);
}, 5000);
