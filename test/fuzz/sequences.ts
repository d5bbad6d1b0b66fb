import fc from 'fast-check';
import { Comparison } from '../random/compare.ts';
import { type Step, sequence } from '../random/step.ts';
import { pulse } from '../support/run.ts';

/** Sequences between two looks at the clock. */
const ROUND = 500;

/** Plays random sequences in each mode for its share of so many minutes. Throws the shortest on which the two disagree. */
export async function playSequences(modes: readonly string[], minutes: number): Promise<void> {
  const end = Date.now() + minutes * 60_000;
  for (const [i, io] of modes.entries()) {
    await using comparison = await Comparison.start(io);
    const share = (end - Date.now()) / (modes.length - i);
    console.log(`--io ${io}: the mount and tmpfs agree on ${play(comparison, share)} sequences.`);
  }
}

/** Plays one sequence, as a failure printed it. */
export async function playSequence(modes: readonly string[], json: string): Promise<void> {
  const steps: Step[] = JSON.parse(json);
  for (const io of modes) {
    await using comparison = await Comparison.start(io);
    comparison.play(steps);
    console.log(`--io ${io}: the mount and tmpfs agree on ${steps.length} calls.`);
  }
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
