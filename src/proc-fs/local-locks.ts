import { EAGAIN, EINTR, Errno } from '../sys/errno.ts';
import type { Caller } from './caller.ts';
import {
  type FileLock,
  type HeldLock,
  inTheWay,
  LockCommand,
  LockType,
  withLock,
  withoutOwner,
} from './lock.ts';

/**
 * The locks of a file whose handler has none, in a mount whose kernel asks for all: what it would keep by itself otherwise, but for
 * EDEADLK.
 */
export class LocalLocks {
  #held: readonly HeldLock[] = [];
  readonly #waiting = new Set<() => void>();

  /** As the handler's `lock` and `flock`. */
  async lock(
    kind: HeldLock['kind'],
    command: LockCommand,
    lock: FileLock,
    { signal }: Pick<Caller, 'signal'>,
  ): Promise<FileLock> {
    const wanted: HeldLock = { ...lock, kind, holder: '' };
    for (;;) {
      const other = inTheWay(this.#held, wanted);
      if (command === LockCommand.GETLK) return other ?? { ...lock, type: LockType.NONE };
      if (other === undefined) break;
      if (command === LockCommand.SETLK) throw new Errno(EAGAIN);
      await this.#changed(signal);
    }
    this.#set(withLock(this.#held, wanted));
    return lock;
  }

  /** An owner is gone. */
  drop(owner: number): void {
    this.#set(withoutOwner(this.#held, { holder: '', owner }));
  }

  #set(held: readonly HeldLock[]): void {
    this.#held = held;
    for (const wake of [...this.#waiting]) wake();
  }

  #changed(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = () => {
        this.#waiting.delete(woken);
        signal.removeEventListener('abort', interrupted);
      };
      const woken = () => {
        end();
        resolve();
      };
      const interrupted = () => {
        end();
        reject(new Errno(EINTR));
      };
      if (signal.aborted) return interrupted();
      this.#waiting.add(woken);
      signal.addEventListener('abort', interrupted);
    });
  }
}
