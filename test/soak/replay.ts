import { Difference } from '../random/content.ts';
import type { Place } from '../random/place.ts';
import type { Step } from '../random/step.ts';
import { pulse } from '../support/run.ts';

/** Plays calls from an empty file on. Returns the Difference that they lead to, if they do. */
export function differenceOf(place: Pick<Place, 'play'>, steps: readonly Step[]): Difference | undefined {
  pulse();
  try {
    place.play(steps);
    return undefined;
  } catch (error) {
    if (error instanceof Difference) return error;
    throw error;
  }
}

/** The least of some calls that still fails: leaves out ever smaller parts, until each one that is left is needed. */
export function shrink<T>(steps: readonly T[], fails: (steps: readonly T[]) => boolean): readonly T[] {
  let left = steps;
  for (let part = Math.ceil(steps.length / 2); part > 0; part = Math.floor(part / 2)) {
    for (let end = left.length; end > 0; end -= part) {
      const start = Math.max(0, end - part);
      const without = left.toSpliced(start, end - start);
      if (fails(without)) left = without;
    }
  }
  return left;
}
