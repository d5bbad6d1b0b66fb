import { EFAULT, Errno } from '../sys/errno.ts';

/**
 * A window on the caller's bytes, with a position in it: what the kernel's `uaccess.rs` calls a user slice.
 *
 * It is the handler's until it has answered: the memory is used again for another request.
 *
 * A handler that copies with `read` or `write` needs nothing else. One that has a system call do the copying lends
 * it `bytes`, from `start`, at most `left`, and then says `advance`.
 *
 * @example
 * ```ts
 * read(_file, to, offset) {
 *   to.advance(readSync(fd, to.bytes, to.start, to.left, offset));
 * }
 * ```
 */
export class UserWindow {
  /** The memory that the window lies in. What is outside of it isn't the handler's. */
  bytes: Uint8Array = new Uint8Array();
  /** The next byte to transfer, as an index into `bytes`. */
  start = 0;
  /** How many bytes the caller gave or wants, in all. */
  length = 0;
  /** How many were transferred so far, also when a transfer ended in EFAULT. */
  transferred = 0;

  /** How many bytes are left to transfer. */
  get left(): number {
    return this.length - this.transferred;
  }

  /** Counts `count` bytes as transferred. Throws EFAULT, and counts nothing, when that leaves the window. */
  advance(count: number): void {
    if (!(count >= 0 && count <= this.left)) throw new Errno(EFAULT);
    this.start += count;
    this.transferred += count;
  }

  /** For whoever serves the request: the window is now on `length` bytes of `bytes`, from `start`. @internal */
  place(bytes: Uint8Array, start: number, length: number): this {
    this.bytes = bytes;
    this.start = start;
    this.length = length;
    this.transferred = 0;
    return this;
  }
}

/**
 * The bytes that a caller reads into: the handler writes here.
 *
 * @example
 * ```ts
 * read: (_file, to: UserSliceWriter, offset) => to.write(bytes.subarray(offset, offset + to.left))
 * ```
 */
export class UserSliceWriter extends UserWindow {
  /** Copies `data` to the caller. Throws EFAULT when it doesn't fit; what fits is transferred all the same. */
  write(data: Uint8Array): void {
    const fits = Math.min(data.length, this.left);
    this.bytes.set(fits === data.length ? data : data.subarray(0, fits), this.start);
    this.advance(fits);
    if (fits < data.length) throw new Errno(EFAULT);
  }
}

/**
 * The bytes that a caller writes from: the handler reads here.
 *
 * @example
 * ```ts
 * write(_file, from: UserSliceReader) {
 *   received.push(from.readAll());
 * }
 * ```
 */
export class UserSliceReader extends UserWindow {
  /** Fills `data` from the caller. Throws EFAULT when there are fewer bytes; those are transferred all the same. */
  read(data: Uint8Array): void {
    const fits = Math.min(data.length, this.left);
    data.set(this.bytes.subarray(this.start, this.start + fits));
    this.advance(fits);
    if (fits < data.length) throw new Errno(EFAULT);
  }

  /** A copy of all that is left. */
  readAll(): Uint8Array {
    const data = new Uint8Array(this.left);
    this.read(data);
    return data;
  }
}
