import { expect, test } from 'vitest';
import { allocateCalls, Called, stopAll } from '../../../src/transport/kernel/channel/calls.ts';

/** How long a worker would sleep that nobody calls, in milliseconds. */
const LONG = 20_000;

test('a worker that starts after all were told to stop does not wait for a call', () => {
  const calls = allocateCalls();
  stopAll(calls);
  const late = new Called({ wait: () => true, arrived: () => {} }, calls, LONG);
  const since = performance.now();
  expect(late.wait()).toBe(false);
  expect(performance.now() - since).toBeLessThan(LONG / 2);
});
