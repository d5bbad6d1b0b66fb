import fc from 'fast-check';
import type { Place } from '../random/place.ts';
import { placeFor, play, sequence } from '../random/sequence.ts';
import type { Step } from '../random/step.ts';
import { pulse } from '../support/run.ts';

/** Sequences that are made from one seed; the next ones from the next. */
const ROUND = 500;

/** Plays random sequences in each mode for its share of so many minutes. Throws the shortest on which the two disagree. */
export async function playSequences(modes: readonly string[], seed: number, minutes: number): Promise<void> {
  const end = Date.now() + minutes * 60_000;
  for (const [i, io] of modes.entries()) {
    await using place = await placeFor(io);
    const share = (end - Date.now()) / (modes.length - i);
    const played = playFor(place, seed, share);
    console.log(`--seed ${seed} --io ${io}: the mount and tmpfs agree on ${played} sequences.`);
  }
}

/** Plays one sequence, as a failure printed it. */
export async function playSequence(modes: readonly string[], json: string): Promise<void> {
  const steps: Step[] = JSON.parse(json);
  for (const io of modes) {
    await using place = await placeFor(io);
    play(place, steps);
    console.log(`--io ${io}: the mount and tmpfs agree on ${steps.length} calls.`);
  }
}

/** Plays sequences for `ms` milliseconds. Returns how many. */
function playFor(place: Place, first: number, ms: number): number {
  const end = Date.now() + ms;
  const property = fc.property(sequence, (steps) => play(place, steps));
  let seed = first;
  for (; Date.now() < end; seed++) {
    const details = fc.check(property, { numRuns: ROUND, seed });
    if (details.failed) {
      const again = `npm run fuzz -- --requests 0 --io ${place.kind.name} --seed ${seed}`;
      throw new Error(`${fc.defaultReportMessage(details)}\nThe same again: ${again}`, {
        cause: details.errorInstance,
      });
    }
    pulse();
  }
  return (seed - first) * ROUND;
}
