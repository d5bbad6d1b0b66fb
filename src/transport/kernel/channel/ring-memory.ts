import { fuseOutHeader } from '../../../abi/structs.ts';
import { RingHeader } from '../../../abi/uring.ts';
import { mapMemory, unmap, viewMemory } from '../../../sys/mmap.ts';
import { MAX_WRITE, PAGE_SIZE } from '../wire/init.ts';

/** A page for an entry's header, and for what stands in front of its payload. */
const ENTRY_SIZE = PAGE_SIZE + MAX_WRITE;

/** What is known of an entry by all threads, in numbers: who has it, and which queue it is registered with. */
const FIELDS = 2;
const HOLDER = 0;
const QUEUE = 1;

/** Who has an entry. */
export const Holder = {
  /** Nobody: it isn't registered. */
  NOBODY: 0,
  /** The kernel, which puts a request in it or has done so. */
  KERNEL: 1,
  /** Whoever serves its request. */
  SERVER: 2,
  /** Its ring's thread, to hand the reply in it to the kernel. */
  ANSWERED: 3,
  /** Its ring's thread, to serve the request in it, which the thread before it didn't look at. */
  ARRIVED: 4,
} as const;

export type Holder = (typeof Holder)[keyof typeof Holder];

/** What threads share of the entries of a ring. */
export interface RingMemoryState {
  readonly address: number;
  readonly fields: SharedArrayBuffer;
}

/**
 * The entries of a ring: for each a header and a payload, in memory that the kernel copies requests to and replies from. What isn't
 * touched takes no memory.
 */
export class RingMemory {
  readonly state: RingMemoryState;
  /** How many there are. */
  readonly count: number;
  readonly bytes: Uint8Array;
  readonly words: Uint32Array;
  readonly #fields: Int32Array;

  static allocate(count: number): RingMemoryState {
    const fields = new SharedArrayBuffer(count * FIELDS * Int32Array.BYTES_PER_ELEMENT);
    return { address: mapMemory(count * ENTRY_SIZE), fields };
  }

  /** Gives it back. Nobody may use it any more, nor the kernel. */
  static free({ address, fields }: RingMemoryState): void {
    unmap(address, (fields.byteLength / Int32Array.BYTES_PER_ELEMENT / FIELDS) * ENTRY_SIZE);
  }

  constructor(state: RingMemoryState) {
    this.state = state;
    this.#fields = new Int32Array(state.fields);
    this.count = this.#fields.length / FIELDS;
    this.bytes = viewMemory(state.address, this.count * ENTRY_SIZE);
    this.words = new Uint32Array(this.bytes.buffer);
  }

  holder(entry: number): Holder {
    return Atomics.load(this.#fields, entry * FIELDS + HOLDER) as Holder;
  }

  give(entry: number, holder: Holder): void {
    Atomics.store(this.#fields, entry * FIELDS + HOLDER, holder);
  }

  queue(entry: number): number {
    return this.#fields[entry * FIELDS + QUEUE] ?? 0;
  }

  setQueue(entry: number, queue: number): void {
    this.#fields[entry * FIELDS + QUEUE] = queue;
  }

  /** Where an entry's header begins, in bytes. */
  header(entry: number): number {
    return entry * ENTRY_SIZE;
  }

  /** Where its payload begins, in bytes, at a page. */
  payload(entry: number): number {
    return entry * ENTRY_SIZE + PAGE_SIZE;
  }

  /** Where a word of the part of an entry's header is that `part` says. */
  word(entry: number, part: number): number {
    return (entry * ENTRY_SIZE + part) >>> 2;
  }

  /** The entries that are with this holder. */
  allOf(holder: Holder): number[] {
    return Array.from({ length: this.count }, (_, entry) => entry).filter(
      (entry) => this.holder(entry) === holder,
    );
  }

  /** One that is. */
  firstOf(holder: Holder): number | undefined {
    for (let entry = 0; entry < this.count; entry++) if (this.holder(entry) === holder) return entry;
    return undefined;
  }

  /** The entry of a request that isn't answered yet, by its number. */
  find(unique: number): number | undefined {
    const low = unique % 2 ** 32;
    const high = Math.floor(unique / 2 ** 32);
    for (let entry = 0; entry < this.count; entry++) {
      if (this.holder(entry) !== Holder.SERVER) continue;
      const id = this.word(entry, RingHeader.ENTRY) + 2;
      if (this.words[id] === low && this.words[id + 1] === high) return entry;
    }
    return undefined;
  }

  /** The inodes that the last request of each entry was on. A reply's header is shorter, and leaves them. */
  inodes(): number[] {
    const at = (word: number) => (this.words[word + 5] ?? 0) * 2 ** 32 + (this.words[word + 4] ?? 0);
    const all = Array.from({ length: this.count }, (_, entry) => at(this.word(entry, RingHeader.IN_OUT)));
    return [...new Set(all)].filter((ino) => ino > 0);
  }

  /** Says how the request of an entry is answered: with so many bytes that are in its payload, or a negative error number. */
  answer(entry: number, answer: number): void {
    const body = Math.max(answer, 0);
    const { words } = this;
    const header = this.word(entry, RingHeader.IN_OUT);
    const more = this.word(entry, RingHeader.ENTRY);
    words[header] = fuseOutHeader.size + body;
    words[header + 1] = Math.min(answer, 0);
    words[header + 2] = words[more + 2] ?? 0;
    words[header + 3] = words[more + 3] ?? 0;
    words[more + 4] = body;
  }
}
