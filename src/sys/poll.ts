import koffi, { type KoffiFunc } from 'koffi';
import { EINTR, Errno } from './errno.ts';
import { libc } from './libc.ts';

const POLLIN = 1;

const poll: KoffiFunc<(fds: Uint8Array, count: number, timeout: number) => number> = libc.func(
  'poll',
  'int',
  ['void *', 'unsigned long', 'int'],
);

/** Waits until one of a few descriptors can be read, or has an error. */
export class Poll {
  /** struct pollfd: int fd, short events, short revents. */
  readonly #fds: Int32Array;
  readonly #bytes: Uint8Array;

  constructor(...fds: readonly number[]) {
    this.#fds = Int32Array.from(fds.flatMap((fd) => [fd, POLLIN]));
    this.#bytes = new Uint8Array(this.#fds.buffer);
  }

  /** Waits, `timeout` milliseconds at most, or for ever with -1. Returns whether one is ready. Source: poll(2). */
  wait(timeout: number): boolean {
    const ready: number = poll(this.#bytes, this.#fds.length / 2, timeout);
    if (ready >= 0) return ready > 0;
    const errno = koffi.errno();
    if (errno !== EINTR) throw new Errno(errno, 'poll');
    return false;
  }

  /** Whether descriptor number `index` was ready, or had an error, when `wait` returned. */
  isReady(index: number): boolean {
    return this.#revents(index) !== 0;
  }

  /** Whether it had an error, or was hung up. */
  hasFailed(index: number): boolean {
    return (this.#revents(index) & ~POLLIN) !== 0;
  }

  #revents(index: number): number {
    return (this.#fds[2 * index + 1] ?? 0) >>> 16;
  }
}
