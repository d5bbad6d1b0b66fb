import { setTimeout as sleep } from 'node:timers/promises';

/**
 * How long something may take that takes a moment, in milliseconds: what takes longer hangs. No limit of the tests is
 * there for what is slow, so that they pass on a machine that is busy with other things.
 */
export const HANGS_AFTER = 120_000;

/** The same for a whole test, which may wait for several things, and for what comes before and after the tests of a file. */
export const TEST_HANGS_AFTER = 5 * HANGS_AFTER;

/** Between two looks at what is waited for, in milliseconds: first, how many times as long each time, and at most. */
const [FIRST, LONGER, LONGEST] = [5, 1.1, 100];

/** Waits until something is so. Throws an error with the message when it hangs. */
export async function until(isSo: () => boolean | Promise<boolean>, message: string): Promise<void> {
  const deadline = performance.now() + HANGS_AFTER;
  for (let interval = FIRST; !(await isSo()); interval = Math.min(interval * LONGER, LONGEST)) {
    if (performance.now() > deadline) throw new Error(message);
    await sleep(interval);
  }
}

/** What `work` resolves to. Throws an error with the message when it hangs. */
export async function inTime<T>(work: T | Promise<T>, message: string): Promise<T> {
  const abort = new AbortController();
  const late = sleep(HANGS_AFTER, undefined, { signal: abort.signal }).then(() => {
    throw new Error(message);
  });
  late.catch(() => {});
  try {
    return await Promise.race([work, late]);
  } finally {
    abort.abort();
  }
}
