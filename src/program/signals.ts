import { isMainThread } from 'node:worker_threads';

/** The signals that end a program which doesn't handle them, and can be handled. */
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

const ends = new Set<() => void>();

/**
 * Calls `end` before SIGINT, SIGTERM or SIGHUP ends the program. One that has a listener of its own for a signal decides
 * for itself. A worker gets no signals. Disposing the answer ends that.
 */
export function beforeSignal(end: () => void): Disposable {
  if (isMainThread && ends.size === 0) for (const signal of signals) process.on(signal, die);
  ends.add(end);
  return {
    [Symbol.dispose]() {
      if (ends.delete(end) && ends.size === 0) for (const signal of signals) process.off(signal, die);
    },
  };
}

function die(signal: NodeJS.Signals): void {
  if (process.listenerCount(signal) > 1) return;
  for (const end of ends) end();
  for (const one of signals) process.off(one, die);
  process.kill(process.pid, signal);
}
