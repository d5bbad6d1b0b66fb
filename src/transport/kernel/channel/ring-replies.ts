import { fuseOutHeader } from '../../../abi/structs.ts';
import type { Event } from '../../../sys/eventfd.ts';
import type { Call } from '../wire/call.ts';
import type { Channel, Next } from '../wire/channel.ts';
import { NO_REPLY } from '../wire/operation.ts';
import { Holder, type RingMemory } from './ring-memory.ts';

/** A ring as a thread sees it that isn't the ring's own. */
export interface FarRing {
  readonly memory: RingMemory;
  /** Has the ring's thread look for what was answered. */
  readonly answered: Event;
}

/**
 * The device of a mount whose requests come by rings, for the thread that has the tree: what the rings' threads passed on it answers by
 * them, because an entry belongs to the thread that handed it to the kernel last, which then copies the next request to it. All else
 * goes by the device: INTERRUPT, FORGET, notifications, and what came before the rings were there.
 */
export class RingReplies implements Channel {
  readonly #device: Channel;
  #rings: readonly FarRing[];

  constructor(device: Channel, rings: readonly FarRing[]) {
    this.#device = device;
    this.#rings = rings;
  }

  next(call: Call): Call | Next {
    return this.#device.next(call);
  }

  answer(call: Call, answer: number): void {
    if (answer === NO_REPLY) return;
    const { unique } = call.header;
    for (const { memory, answered } of this.#rings) {
      const entry = memory.find(unique);
      if (entry === undefined) continue;
      if (answer > 0) {
        const body = call.reply.subarray(fuseOutHeader.size, fuseOutHeader.size + answer);
        memory.bytes.set(body, memory.payload(entry));
      }
      memory.answer(entry, answer);
      memory.give(entry, Holder.ANSWERED);
      answered.set();
      return;
    }
    this.#device.answer(call, answer);
  }

  notify(...message: Parameters<Channel['notify']>): void {
    this.#device.notify(...message);
  }

  notifyNow(message: Uint8Array): void {
    this.#device.notifyNow(message);
  }

  close(): void {
    this.#rings = [];
    this.#device.close();
  }
}
