import type { Caller } from '../proc-fs/caller.ts';
import type { ProcFile } from '../proc-fs/handler.ts';
import { whenReleased } from '../proc-fs/released.ts';
import { EAGAIN, EINTR, Errno } from '../sys/errno.ts';

/**
 * What a condition gives when it holds.
 *
 * @example
 * ```ts
 * const line: Truthy<string | undefined> = await queue.waitEvent(() => lines.shift(), caller); // a string
 * ```
 */
export type Truthy<T> = Exclude<T, false | 0 | '' | null | undefined>;

/**
 * Those who wait for something to happen: the kernel's `wait_queue_head_t`. Nothing is kept of who was served, was interrupted or has
 * closed the file.
 *
 * @example A log whose readers wait for the next line.
 * ```ts
 * const lines: Uint8Array[] = [];
 * const queue = new WaitQueue();
 * procCreate('log', 0o444, null, {
 *   lseek: () => 0, // For programs such as head, which go back to where they are.
 *   async read(_file, to, _offset, caller) {
 *     const line = await queue.waitEvent(() => lines.shift(), caller);
 *     // What doesn't fit is for the next read: a shell's `read` asks for one byte at a time.
 *     if (line.length > to.left) lines.unshift(line.subarray(to.left));
 *     to.write(line.subarray(0, to.left));
 *   },
 *   poll(file, wake) {
 *     queue.pollWait(file, wake);
 *     return lines.length > 0 ? POLLIN | POLLRDNORM : 0;
 *   },
 * });
 * const log = (line: string) => { lines.push(Buffer.from(`${line}\n`)); queue.wake(); };
 * ```
 */
export class WaitQueue {
  readonly #waiting = new Set<() => void>();
  readonly #polling = new Map<ProcFile, Set<() => void>>();

  /** Has all that wait look again, the one that has waited longest first. Source: wake_up_interruptible, include/linux/wait.h. */
  wake(): void {
    for (const look of [...this.#waiting]) look();
    const polling = [...this.#polling.values()];
    for (const wakes of polling) {
      const now = [...wakes];
      wakes.clear();
      for (const wake of now) wake();
    }
  }

  /**
   * Waits until a condition holds. Source: wait_event_interruptible, include/linux/wait.h.
   *
   * @param ready Asked at once, and at each `wake`. Resolves with what it gives, if that is truthy. Let it take what is waited for, as
   * `lines.shift()` does: of several that wait, each is asked after the one before it has taken its share, and one whose caller is
   * gone isn't asked any more.
   * @param caller Who waits. Rejects with EAGAIN when they would rather not (O_NONBLOCK), and with EINTR when they are interrupted or
   * killed, or the tree is unmounted.
   *
   * @example
   * ```ts
   * const line = await queue.waitEvent(() => lines.shift(), caller);
   * ```
   */
  waitEvent<T>(
    ready: () => T,
    { nonblock, signal }: Pick<Caller, 'nonblock' | 'signal'>,
  ): Promise<Truthy<T>> {
    return new Promise((resolve, reject) => {
      const end = () => {
        this.#waiting.delete(look);
        signal.removeEventListener('abort', interrupted);
      };
      const interrupted = () => {
        end();
        reject(new Errno(EINTR));
      };
      const look = () => {
        try {
          const given = ready();
          if (!given) return;
          end();
          resolve(given as Truthy<T>);
        } catch (error) {
          end();
          reject(error);
        }
      };
      if (signal.aborted) return interrupted();
      this.#waiting.add(look);
      signal.addEventListener('abort', interrupted);
      look();
      if (nonblock && this.#waiting.has(look)) {
        end();
        reject(new Errno(EAGAIN));
      }
    });
  }

  /**
   * Has `wake`, which the handler's `poll` was given, called at the next `wake` of the queue, unless the file is closed before. Each open
   * file is kept once, however often it is polled. Source: poll_wait, include/linux/poll.h.
   *
   * @example
   * ```ts
   * poll(file, wake) {
   *   queue.pollWait(file, wake);
   *   return lines.length > 0 ? POLLIN : 0;
   * }
   * ```
   */
  pollWait(file: ProcFile, wake: () => void): void {
    const wakes = this.#polling.get(file);
    if (wakes !== undefined) {
      wakes.add(wake);
      return;
    }
    this.#polling.set(file, new Set([wake]));
    whenReleased(file, () => this.#polling.delete(file));
  }
}
