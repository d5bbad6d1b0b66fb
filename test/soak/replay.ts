import type { Step } from '../random/step.ts';
import { pulse } from '../support/run.ts';
import { compareContent } from './content.ts';
import type { Kind } from './kinds.ts';
import { Pair } from './pair.ts';
import { Place } from './place.ts';

/** Plays calls on a mount and on tmpfs, from an empty file. Throws the first difference. */
export async function replay(kind: Kind, steps: readonly Step[]): Promise<void> {
  await using place = await Place.make(kind);
  using pair = new Pair(place.files);
  for (const step of steps) {
    pair.play(step);
    pulse();
  }
  compareContent(place.files);
}
