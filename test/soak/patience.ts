import { setTimeout as sleep } from 'node:timers/promises';

/** How long anything may take at most, in milliseconds: only what hangs takes longer. */
const PATIENCE = 60_000;

/** Waits for work. Throws `otherwise` when it hangs. */
export async function within<T>(work: Promise<T>, otherwise: string): Promise<T> {
  const timeout = new AbortController();
  const late = sleep(PATIENCE, undefined, timeout).then(() => {
    throw new Error(otherwise);
  });
  late.catch(() => {});
  try {
    return await Promise.race([work, late]);
  } finally {
    timeout.abort();
  }
}

/** Waits until a condition holds. Throws `otherwise` when it never does. */
export async function until(condition: () => boolean | Promise<boolean>, otherwise: string): Promise<void> {
  const deadline = Date.now() + PATIENCE;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(otherwise);
    await sleep(20);
  }
}
