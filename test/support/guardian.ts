import { rmSync, statSync } from 'node:fs';
import { filesOf, sweep } from './run.ts';

/**
 * Cleans up behind a test run that can't do so itself. Its standard input is a pipe from the run's process: the end of
 * that pipe is the end of the process, whatever ended it.
 *
 * A run, or one of its files, that gives no sign of life any more hangs in a system call: ending the daemons makes the call
 * return, and the test fails.
 */
const [, , dir = '', stuckAfter = ''] = process.argv;

process.stdin.resume().on('end', () => {
  sweep(dir);
  rmSync(dir, { recursive: true, force: true });
  process.exit();
});

setInterval(() => {
  const files = filesOf(dir);
  for (const place of files.length > 0 ? files : [dir]) look(place);
}, 5000);

function look(place: string): void {
  // A file that has ended meanwhile is silent for good, and not stuck.
  const silent = (Date.now() - (statSync(place, { throwIfNoEntry: false })?.mtimeMs ?? Date.now())) / 1000;
  if (silent < Number(stuckAfter)) return;
  console.error(
    `The tests have been stuck in a call for ${Math.round(silent)} s; ending what they have started:`,
  );
  for (const line of sweep(place)) console.error(`  ${line}`);
}
