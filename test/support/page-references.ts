import { closeSync, openSync, readdirSync, readlinkSync, readSync } from 'node:fs';
import { libcFunction } from '../../src/sys/libc.ts';

const F_SETPIPE_SZ = 1031;
const O_CLOEXEC = 0o2000000;

const pipe2 = libcFunction<[pair: Int32Array, flags: number]>('pipe2', 'int', ['void *', 'int']);
const fcntl = libcFunction<[fd: number, command: number, argument: number]>('fcntl', 'int', [
  'int',
  'int',
  'int',
]);
const splice = libcFunction<
  [from: number, offset: BigInt64Array, to: number, none: null, length: number, flags: number]
>('splice', 'int64_t', ['int', 'void *', 'int', 'void *', 'size_t', 'uint']);

/** A descriptor of this process for the file that holds a daemon's data, which only root can have. */
export function openBacking(pid: number): number {
  const fd = readdirSync(`/proc/${pid}/fd`).find((one) => {
    const to = readlinkSync(`/proc/${pid}/fd/${one}`);
    // Of a memfd, or of a tmpfs that is mounted nowhere.
    return to.startsWith('/memfd:') || /^\/#\d+/.test(to);
  });
  return openSync(`/proc/${pid}/fd/${fd}`, 'r');
}

/**
 * The very pages of a file, in a pipe: splice(2) copies nothing from a tmpfs. Whatever becomes of the file, they can't be
 * used for something else until they are read, and so show what is left in memory that the file gave back.
 */
export class PageReferences implements Disposable {
  readonly #read: number;
  readonly #write: number;
  readonly #length: number;

  /** Refers to the first `length` bytes, in whole pages, up to 1 MiB. */
  constructor(fd: number, length: number) {
    const pair = new Int32Array(2);
    pipe2(pair, O_CLOEXEC);
    [this.#read = -1, this.#write = -1] = pair;
    fcntl(this.#write, F_SETPIPE_SZ, length);
    const offset = new BigInt64Array(1);
    for (let done = 0; done < length; ) done += splice(fd, offset, this.#write, null, length - done, 0);
    this.#length = length;
  }

  /** What is in the pages now. */
  take(): Buffer {
    const bytes = Buffer.alloc(this.#length);
    for (let done = 0; done < bytes.length; )
      done += readSync(this.#read, bytes, done, bytes.length - done, null);
    return bytes;
  }

  [Symbol.dispose](): void {
    closeSync(this.#read);
    closeSync(this.#write);
  }
}
