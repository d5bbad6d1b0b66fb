import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, test } from 'vitest';
import { pulse } from '../support/run.ts';
import { hasUring } from '../support/uring.ts';
import { placeFor, play, sequence } from './sequence.ts';

describe('random sequences of calls answer as on tmpfs', () => {
  test.each([
    ['direct', 2000],
    ['cached', 500],
    ['passthrough', 500],
    ...(hasUring ? [['uring', 500] as const] : []),
  ] as const)('%s, %i sequences', async (kind, numRuns) => {
    await using place = await placeFor(kind);
    let played = 0;
    const property = fc.asyncProperty(sequence, async (steps) => {
      play(place, steps);
      if (++played % 100 > 0) return;
      pulse();
      // The runner wants to hear from this process now and then.
      await setImmediate();
    });
    await fc.assert(property, { numRuns });
  });
});
