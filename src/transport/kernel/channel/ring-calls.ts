import { Opcode } from '../../../abi/fuse.ts';
import { fuseInHeader, fuseOutHeader, fuseWriteIn } from '../../../abi/structs.ts';
import { RingHeader } from '../../../abi/uring.ts';
import { Call } from '../wire/call.ts';
import { MAX_WRITE, PAGE_SIZE } from '../wire/init.ts';
import type { RingMemory } from './ring-memory.ts';

/** How a WRITE begins, in bytes, and where its data follows. */
const WRITE_START = fuseInHeader.size + fuseWriteIn.size;

/** Where the requests of an entry are served. */
interface Place {
  /** One whose data stays where the kernel puts it. */
  readonly write: Call;
  /** Any other, which is copied to memory of this thread: its reply is put where the kernel puts it. */
  readonly other: Call;
}

/** The requests in a ring's entries, as those are that come by the device: each in one piece. */
export class RingCalls {
  readonly #memory: RingMemory;
  readonly #places: Place[] = [];
  /** A request but for the data of a WRITE. */
  readonly #request = new Uint8Array(MAX_WRITE + PAGE_SIZE);
  readonly #words = new Uint32Array(this.#request.buffer);

  constructor(memory: RingMemory) {
    this.#memory = memory;
  }

  /** The request that an entry holds, until the next is asked for, or undefined for one that can't be answered. */
  of(entry: number): Call | undefined {
    const memory = this.#memory;
    const { words } = memory;
    this.#places[entry] ??= this.#newPlace(entry);
    const { write, other } = this.#places[entry];
    const header = memory.word(entry, RingHeader.IN_OUT);
    const length = words[header] ?? 0;
    const payload = words[memory.word(entry, RingHeader.ENTRY) + 4] ?? 0;
    const start = length - payload;
    const at = memory.payload(entry);
    if (words[header + 1] === Opcode.WRITE && start === WRITE_START) {
      this.#copyStart(entry, words, (at - start) >>> 2, start);
      return write.arrived(length) ? write : undefined;
    }
    this.#copyStart(entry, this.#words, 0, start);
    if (payload > 0) this.#request.set(memory.bytes.subarray(at, at + payload), start);
    return other.arrived(length) ? other : undefined;
  }

  /** Copies the header, and the struct that the body begins with. */
  #copyStart(entry: number, to: Uint32Array, at: number, length: number): void {
    const { words } = this.#memory;
    const header = this.#memory.word(entry, RingHeader.IN_OUT);
    const body = this.#memory.word(entry, RingHeader.OP_IN);
    const headerWords = fuseInHeader.size / 4;
    const bodyWords = (length - fuseInHeader.size) >>> 2;
    for (let word = 0; word < headerWords; word++) to[at + word] = words[header + word] ?? 0;
    for (let word = 0; word < bodyWords; word++) to[at + headerWords + word] = words[body + word] ?? 0;
  }

  #newPlace(entry: number): Place {
    const payload = this.#memory.payload(entry);
    const from = (start: number) => this.#memory.bytes.subarray(payload - start, payload + MAX_WRITE);
    const reply = from(fuseOutHeader.size);
    return { write: new Call(from(WRITE_START), reply), other: new Call(this.#request, reply) };
  }
}
