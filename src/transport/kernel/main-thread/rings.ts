import { UringCommand } from '../../../abi/uring.ts';
import { MountError } from '../../../mount/mount-error.ts';
import { possibleProcessors } from '../../../sys/affinity.ts';
import { Event } from '../../../sys/eventfd.ts';
import { Ring, type RingState } from '../../../sys/io-uring.ts';
import { reason } from '../../../text/reason.ts';
import { Holder, RingMemory } from '../channel/ring-memory.ts';
import type { FarRing } from '../channel/ring-replies.ts';
import type { RingData } from '../channel/uring.ts';

/** How many entries a ring's queues have together at first, and each at least. */
const ENTRIES = 32;
const LEAST = 4;

/** How many more a ring can have, for requests that wait for their answers. */
const MORE = 224;

/** How many submissions a ring takes before they are handed over. */
const SUBMISSIONS = 64;

/** Completions that aren't of an entry, of which there may be two at a time. */
const OTHERS = 16;

/** The rings of a mount, one for each thread, and their entries, which outlive it: see UringChannel. */
export class Rings implements Disposable {
  readonly #rings: (FarRing & { readonly data: RingData })[] = [];

  /** For so many threads, or fewer if there are fewer processors. Throws a MountError. */
  constructor(threads: number) {
    const processors = possibleProcessors();
    const count = Math.min(threads, processors);
    try {
      for (let thread = 0; thread < count; thread++) this.#add(thread, count, processors);
    } catch (error) {
      this[Symbol.dispose]();
      const why = reason(error, 'choose the channel "device", or see "sysctl kernel.io_uring_disabled"');
      throw new MountError(`Cannot mount with io_uring: ${why}.`, { cause: error });
    }
  }

  #add(thread: number, threads: number, processors: number): void {
    const queues = Array.from({ length: processors }, (_, queue) => queue).filter(
      (queue) => queue % threads === thread,
    );
    const depth = Math.max(LEAST, Math.floor(ENTRIES / queues.length));
    const entries = queues.length * depth + MORE;
    const ring = newRing(entries);
    const memory = RingMemory.allocate(entries);
    const answered = new Event();
    this.#rings.push({
      data: { ring, memory, queues, depth, isRenewed: false, answered: answered.fd },
      memory: new RingMemory(memory),
      answered,
    });
  }

  /**
   * Has another thread go on for one that has ended: with a ring of its own, for what a thread had asked for the kernel can't finish without
   * it (a request that comes before the old ring is gone gets ECANCELED, fuse_uring_send_in_task); and with what is in the entries. Throws
   * an Errno.
   */
  renew(thread: number): void {
    const old = this.#rings[thread];
    if (old === undefined) return;
    const { memory } = old;
    const ring = new Ring(old.data.ring, -1);
    const arrived: number[] = [];
    while (ring.take()) if (ring.data >= 0 && ring.result === 0) arrived.push(ring.data);
    const answered = ring
      .unsubmitted()
      .filter(({ operation }) => operation === UringCommand.COMMIT_AND_FETCH);
    for (const entry of memory.allOf(Holder.KERNEL)) memory.give(entry, Holder.NOBODY);
    for (const entry of arrived) memory.give(entry, Holder.ARRIVED);
    for (const { data } of answered) memory.give(data, Holder.ANSWERED);
    Ring.destroy(old.data.ring);
    this.#rings[thread] = { ...old, data: { ...old.data, ring: newRing(memory.count), isRenewed: true } };
  }

  /** How many threads they are for. */
  get threads(): number {
    return this.#rings.length;
  }

  /** What a thread needs of them. */
  data(thread: number): RingData | undefined {
    return this.#rings[thread]?.data;
  }

  get far(): readonly FarRing[] {
    return this.#rings;
  }

  /** Once no thread uses them. */
  [Symbol.dispose](): void {
    for (const { data, answered } of this.#rings.splice(0)) {
      answered[Symbol.dispose]();
      Ring.destroy(data.ring);
      RingMemory.free(data.memory);
    }
  }
}

function newRing(entries: number): RingState {
  return Ring.create(SUBMISSIONS, entries + OTHERS);
}
