import { type Counters, count, countTime } from '../../counters.ts';
import type { Call } from '../wire/call.ts';
import type { Channel, Next } from '../wire/channel.ts';
import { bytesOf, resultOf } from '../wire/counted.ts';
import type { Tell } from '../wire/traced.ts';

/** A channel whose answers are counted, and told of, by a thread that knows when each request came. */
export class CountingChannel implements Channel {
  readonly #channel: Channel;
  readonly #counters: Counters;
  /** Set while somebody wants to know of each. */
  tell: Tell | undefined;

  constructor(channel: Channel, counters: Counters) {
    this.#channel = channel;
    this.#counters = counters;
  }

  next(call: Call): Call | Next {
    const next = this.#channel.next(call);
    if (typeof next === 'object') next.since = performance.now();
    return next;
  }

  answer(call: Call, answer: number): void {
    const { opcode, nodeid } = call.header;
    const ms = performance.now() - call.since;
    // 0 of one whose message is gone.
    if (opcode !== 0) {
      const cell = this.#counters.cell(nodeid, opcode);
      count(cell, resultOf(answer), bytesOf(call, answer));
      countTime(cell, ms);
    }
    this.#channel.answer(call, answer);
    this.tell?.(call, answer, ms);
  }

  notify(...message: Parameters<Channel['notify']>): void {
    this.#channel.notify(...message);
  }

  notifyNow(message: Uint8Array): void {
    this.#channel.notifyNow(message);
  }

  close(): void {
    this.#channel.close();
  }
}
