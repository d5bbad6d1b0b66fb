import { mapMemory, unmap, viewMemory } from '../../../sys/mmap.ts';
import { hide, lock } from '../../../sys/secret-memory.ts';
import type { Call } from './call.ts';

const PAGE_SIZE = 4096;
/** A typed array ends at 2^32 - 1 bytes in Node 20: pages of a file from there on are not remembered. */
const REMEMBERED = 2 ** 32 - 2 ** 20;

/** What all threads of a mount share of a file's cached pages. */
export interface CachedPagesState {
  /** One number: where the remembered pages lie, or 0 as long as nobody has mapped the file. */
  readonly address: BigInt64Array;
  /** A bit for each page that is remembered. */
  readonly bitmap: SharedArrayBuffer;
  /** A bit for each page that the cache was given since a client last wrote to it. */
  readonly given: SharedArrayBuffer;
  /** Kept out of swap and core dumps, and overwritten in the end. */
  readonly secret: boolean;
}

/**
 * What the kernel's page cache was given of a file whose reads and writes are direct, but which clients may map shared.
 *
 * Such a page can be stale: a client stores to a page, faults it in with the old bytes while another's WRITE to the same page is on
 * its way, and later the kernel writes the whole page back, old bytes and all. tmpfs, where both share the page, loses nothing. So
 * each page is remembered as it was given to the cache, and of one that is written back only what differs from that was changed by
 * clients, and goes to the handler. Source: fuse_direct_io, fuse_read_folio, fuse_writepages in fs/fuse/file.c.
 */
export class CachedPages {
  readonly state: CachedPagesState;
  readonly #bitmap: Int32Array;
  readonly #given: Int32Array;
  #bytes: Uint8Array | undefined;

  constructor(state: CachedPagesState) {
    this.state = state;
    this.#bitmap = new Int32Array(state.bitmap);
    this.#given = new Int32Array(state.given);
  }

  static allocate(secret: boolean): CachedPagesState {
    return {
      address: new BigInt64Array(new SharedArrayBuffer(BigInt64Array.BYTES_PER_ELEMENT)),
      bitmap: new SharedArrayBuffer(REMEMBERED / PAGE_SIZE / 8),
      given: new SharedArrayBuffer(REMEMBERED / PAGE_SIZE / 8),
      secret,
    };
  }

  /** Remembers the pages that a page-cache READ at `offset` was given, which the reply in `call` has `count` bytes of. */
  remember(call: Call, offset: number, asked: number, count: number): void {
    const end = offset + asked;
    if (end > REMEMBERED) return;
    const bytes = this.#memory();
    // No more than that: RLIMIT_MEMLOCK counts what is locked, touched or not.
    if (this.state.secret) lock(Number(Atomics.load(this.state.address, 0)) + offset, asked);
    bytes.set(call.outputBytesAsTheyAre(0, count), offset);
    // The kernel fills what is behind the end with zeros (fuse_short_read).
    bytes.fill(0, offset + count, end);
    // The cache reads whole pages.
    for (let page = Math.ceil(offset / PAGE_SIZE); page + 1 <= end / PAGE_SIZE; page++) {
      Atomics.or(this.#bitmap, page >>> 5, 1 << (page & 31));
      Atomics.or(this.#given, page >>> 5, 1 << (page & 31));
    }
  }

  /**
   * Whether the cache may hold pages of a range as they were before a client's write to it that is just done: given while the WRITE
   * was on its way, after the kernel had dropped what it had. Asked once for each write.
   */
  isStale(offset: number, length: number): boolean {
    if (Atomics.load(this.state.address, 0) === 0n) return false;
    let stale = false;
    const last = Math.min(offset + length, REMEMBERED) - 1;
    for (let page = Math.floor(offset / PAGE_SIZE); page <= last / PAGE_SIZE; page++) {
      const bit = 1 << (page & 31);
      if (((this.#given[page >>> 5] ?? 0) & bit) === 0) continue;
      if (Atomics.and(this.#given, page >>> 5, ~bit) & bit) stale = true;
    }
    return stale;
  }

  /**
   * Calls `write` for each run of bytes that clients changed in the pages that a write-back brings, `data` at `offset`. Stops at its
   * first answer below 0, and returns that; else 0.
   */
  changes(data: Uint8Array, offset: number, write: (from: number, length: number) => number): number {
    let at = 0;
    while (at < data.length) {
      const within = (offset + at) % PAGE_SIZE;
      const length = Math.min(PAGE_SIZE - within, data.length - at);
      const answer = this.#changesInPage(data, at, length, offset + at, write);
      if (answer < 0) return answer;
      at += length;
    }
    return 0;
  }

  #changesInPage(
    data: Uint8Array,
    at: number,
    length: number,
    offset: number,
    write: (from: number, length: number) => number,
  ): number {
    const page = Math.floor(offset / PAGE_SIZE);
    if (offset + length > REMEMBERED || !((this.#bitmap[page >>> 5] ?? 0) & (1 << (page & 31)))) {
      return write(at, length);
    }
    const known = this.#memory();
    let i = 0;
    while (i < length) {
      while (i < length && data[at + i] === known[offset + i]) i++;
      const start = i;
      while (i < length && data[at + i] !== known[offset + i]) i++;
      if (i === start) break;
      const answer = write(at + start, i - start);
      if (answer < 0) return answer;
    }
    // The cache's page is as it was written back now, whatever the file has in the bytes that clients left alone.
    known.set(data.subarray(at, at + length), offset);
    return 0;
  }

  /** Lets go of the memory; overwritten first, for a secret. Nobody may use the file any more. */
  release(): void {
    const address = Number(Atomics.exchange(this.state.address, 0, 0n));
    if (address === 0) return;
    if (this.state.secret) {
      const bytes = viewMemory(address, REMEMBERED);
      for (let page = 0; page < REMEMBERED / PAGE_SIZE; page++) {
        if ((this.#bitmap[page >>> 5] ?? 0) & (1 << (page & 31))) {
          bytes.fill(0, page * PAGE_SIZE, (page + 1) * PAGE_SIZE);
        }
      }
    }
    unmap(address, REMEMBERED);
  }

  /** Mapped by whoever needs it first: most files are never mapped by a client. */
  #memory(): Uint8Array {
    if (this.#bytes !== undefined) return this.#bytes;
    if (Atomics.load(this.state.address, 0) === 0n) {
      const mine = mapMemory(REMEMBERED);
      if (this.state.secret) hide(mine, REMEMBERED);
      const other = Atomics.compareExchange(this.state.address, 0, 0n, BigInt(mine));
      if (other !== 0n) unmap(mine, REMEMBERED);
    }
    this.#bytes = viewMemory(Number(Atomics.load(this.state.address, 0)), REMEMBERED);
    return this.#bytes;
  }
}
