import { isMainThread } from 'node:worker_threads';

/** The signals that end a program which doesn't handle them, and can be handled. */
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

const ends = new Set<() => Promise<void>>();

/**
 * Calls `end`, and waits for it, before SIGINT, SIGTERM or SIGHUP ends the program. One that has a listener of its own for a signal decides
 * for itself. A worker gets no signals. Disposing the answer ends that.
 */
export function beforeSignal(end: () => Promise<void>): Disposable {
  if (isMainThread && ends.size === 0) for (const signal of signals) process.on(signal, die);
  ends.add(end);
  return {
    [Symbol.dispose]() {
      if (ends.delete(end) && ends.size === 0) for (const signal of signals) process.off(signal, die);
    },
  };
}

async function die(signal: NodeJS.Signals): Promise<void> {
  if (process.listenerCount(signal) > 1) return;
  await Promise.all([...ends].map((end) => end()));
  for (const one of signals) process.off(one, die);
  process.kill(process.pid, signal);
}
