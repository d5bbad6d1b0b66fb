import { closeSync, writeSync } from 'node:fs';
import { libcFunction } from './libc.ts';

const EFD_CLOEXEC = 0o2000000;
const EFD_NONBLOCK = 0o4000;

const eventfd = libcFunction<[count: number, flags: number]>('eventfd', 'int', ['uint', 'int']);

/** Something that has happened or not, for threads that wait for a descriptor: once it has, the descriptor can be read. Source: eventfd(2). */
export class Event implements Disposable {
  readonly fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  #open = true;

  /** It has happened, for good. */
  set(): void {
    if (this.#open) writeSync(this.fd, new BigUint64Array([1n]));
  }

  [Symbol.dispose](): void {
    if (this.#open) closeSync(this.fd);
    this.#open = false;
  }
}
