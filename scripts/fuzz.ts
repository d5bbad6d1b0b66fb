import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { ioModes } from '../src/ram-file/rust-proc-ram-file.ts';
import { Comparison } from '../test/random/compare.ts';
import { type Step, sequence } from '../test/random/step.ts';
import { joinRun, pulse, startRun } from '../test/support/run.ts';

/**
 * npm run fuzz -- [--minutes N] [--io MODE] [--replay SEQUENCE]
 *
 * Plays random sequences of calls on a mount and on tmpfs, for N minutes (default: 1), in one I/O mode or in all of
 * them in turn, or one sequence that failed. Ends with status 1 and the shortest sequence found when they disagree.
 */
const { values } = parseArgs({
  options: { minutes: { type: 'string' }, io: { type: 'string' }, replay: { type: 'string' } },
});
const minutes = Number(values.minutes ?? 1);
if (!(minutes > 0)) throw new Error(`--minutes needs a number above 0, not "${values.minutes}".`);
const modes: readonly string[] = values.io === undefined ? ioModes : [values.io];

/** Sequences between two looks at the clock. */
const ROUND = 500;

const run = startRun();
joinRun(run.dir);
try {
  const end = Date.now() + minutes * 60_000;
  for (const [i, io] of modes.entries()) {
    await using comparison = await Comparison.start(io);
    if (values.replay !== undefined) {
      const steps: Step[] = JSON.parse(values.replay);
      comparison.play(steps);
      console.log(`--io ${io}: the mount and tmpfs agree on ${steps.length} calls.`);
      continue;
    }
    const share = (end - Date.now()) / (modes.length - i);
    console.log(`--io ${io}: the mount and tmpfs agree on ${play(comparison, share)} sequences.`);
  }
} catch (error) {
  console.error(error instanceof Error ? (error.cause ?? error) : error);
  process.exitCode = 1;
}
for (const line of run.end()) {
  console.error(`Left behind: ${line}`);
  process.exitCode = 1;
}

/** Plays sequences for `ms` milliseconds. Returns how many. */
function play(comparison: Comparison, ms: number): number {
  const end = Date.now() + ms;
  let played = 0;
  while (Date.now() < end) {
    fc.assert(
      fc.property(sequence, (steps) => comparison.play(steps)),
      { numRuns: ROUND },
    );
    played += ROUND;
    pulse();
  }
  return played;
}
