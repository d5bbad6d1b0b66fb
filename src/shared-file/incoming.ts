/** How many bytes one read(2) may bring, and with how little room one is still made. */
const MOST = 1 << 18;
const LEAST = 1 << 16;

/** How much memory there is: for some answers of a MiB at once. */
const ROOM = 1 << 22;

/**
 * Memory that a socket's bytes come into, used in a circle. Node's own, 64 KiB made anew for each read(2), costs as much as to copy what comes.
 *
 * An answer's bytes stay as they are until it is whole, and until the promises have gone on that were waiting for it.
 */
export class Incoming {
  #memory = Buffer.allocUnsafeSlow(ROOM);
  /** Where the next bytes go, and where the last ones went. */
  #at = 0;
  #last = 0;
  /** Where the oldest begin that may be part of an answer that isn't whole. */
  #oldest = 0;

  /** Where the next bytes go. */
  next(): Buffer {
    const end = this.#at < this.#oldest ? this.#oldest - 1 : ROOM;
    if (end - this.#at < LEAST) {
      if (end < ROOM || this.#oldest <= LEAST) {
        // All of it is one answer's, which keeps it.
        this.#memory = Buffer.allocUnsafeSlow(ROOM);
        this.#oldest = 0;
      }
      this.#at = 0;
      return this.next();
    }
    return this.#memory.subarray(this.#at, Math.min(end, this.#at + MOST));
  }

  /** So many bytes have come. */
  came(count: number): Buffer {
    this.#last = this.#at;
    this.#at += count;
    return this.#memory.subarray(this.#last, this.#at);
  }

  /** The answer is whole that ends within what came last. Without `more` nothing is to come. */
  whole(more: boolean): void {
    this.#oldest = this.#last;
    if (!more) this.#oldest = this.#at = 0;
  }
}
