import { quote } from '../text/quote.ts';
import type { Mount } from '../transport/mount.ts';

/** How long clients that hold the file open may delay the end of a process that was told to end, in milliseconds. */
const GRACE = 500;

const endSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Takes the data and unmounts when the process is told to end, by SIGINT, SIGTERM or SIGHUP. When it ends by itself, by an
 * exception too, the data is taken at least, for it may be a secret.
 *
 * A process that ended in the midst of mounting would leave the mount behind, dead. Such a signal is obeyed as soon as
 * there is a session to end.
 */
export class EndOnSignal implements Disposable {
  readonly #teardown: () => void;
  #isMounting = false;
  #session: Mount | undefined;
  #pending: NodeJS.Signals | undefined;

  constructor(teardown: () => void) {
    this.#teardown = teardown;
    for (const signal of endSignals) process.on(signal, this.#end);
    process.on('exit', teardown);
    // Its default would leave a dead mount behind.
    process.on('SIGUSR2', () => {});
  }

  /** Waits for the session that `mount` makes. */
  async whileMounting<S extends Mount>(mount: () => Promise<S>): Promise<S> {
    this.#isMounting = true;
    const session = await mount();
    this.#session = session;
    if (this.#pending !== undefined) this.#end(this.#pending);
    return session;
  }

  readonly #end = (signal: NodeJS.Signals): void => {
    if (this.#isMounting && this.#session === undefined) {
      this.#pending = signal;
      return;
    }
    this.#teardown();
    if (this.#session === undefined) {
      this.#die(signal);
      return;
    }
    console.error(`ramproc: ${signal}, unmounting ${quote(this.#session.dir)}`);
    this.#session.unmount(true);
    // Who holds the file open keeps the session alive.
    setTimeout(() => this.#die(signal), GRACE).unref();
  };

  /** The signal's own way to end a process, which waits for no thread. */
  #die(signal: NodeJS.Signals): void {
    this[Symbol.dispose]();
    process.kill(process.pid, signal);
  }

  [Symbol.dispose](): void {
    for (const signal of endSignals) process.off(signal, this.#end);
    process.off('exit', this.#teardown);
  }
}
