import { constants } from 'node:os';
import { exitAtOnce } from '../sys/exec.ts';

/** What tells a program to end: kill(1), Ctrl-C, and a terminal that was closed. */
export const endSignals = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

/** Thrown through whatever was going on when the process was told to end, so that nothing of it is left behind. */
export class EndedBySignal extends Error {
  readonly signal: NodeJS.Signals;

  constructor(signal: NodeJS.Signals) {
    super(`told to end by ${signal}`);
    this.signal = signal;
  }

  /** Ends the process by the signal, which who waits for it sees; a shell makes 128 + n of it. Waits for no thread. */
  die(): never {
    process.removeAllListeners(this.signal);
    process.kill(process.pid, this.signal);
    // The first process of a container is immune to signals that it doesn't handle. Source: pid_namespaces(7).
    exitAtOnce(128 + constants.signals[this.signal]);
  }
}

/**
 * Hears of the first signal that tells the process to end. The others change nothing of that any more, and none of them ends the
 * process by itself any more.
 */
export class EndOnSignal {
  readonly #ended: Promise<never>;
  #told: EndedBySignal | undefined;
  #count = 0;

  constructor(signals: readonly NodeJS.Signals[] = endSignals) {
    this.#ended = new Promise((_, end) => {
      for (const signal of signals) {
        process.on(signal, () => {
          this.#count++;
          this.#told ??= new EndedBySignal(signal);
          end(this.#told);
        });
      }
    });
    this.#ended.catch(() => {});
  }

  /** What to throw when the process was told to end. */
  get told(): EndedBySignal | undefined {
    return this.#told;
  }

  /** How often it was told. */
  get count(): number {
    return this.#count;
  }

  /** Waits for work that may be left halfway. Throws EndedBySignal as soon as the process is told to end. */
  async orEnd<T>(work: Promise<T>): Promise<T> {
    return Promise.race([this.#ended, work]);
  }
}
