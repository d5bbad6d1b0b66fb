import type { Call } from '../wire/call.ts';
import type { Channel, Next } from '../wire/channel.ts';
import type { Tell } from '../wire/traced.ts';

/** A channel whose requests are told of when they are answered. */
export class TracingChannel implements Channel {
  readonly #channel: Channel;
  readonly #tell: Tell;

  constructor(channel: Channel, tell: Tell) {
    this.#channel = channel;
    this.#tell = tell;
  }

  next(call: Call): Call | Next {
    const next = this.#channel.next(call);
    if (typeof next === 'object') next.since = performance.now();
    return next;
  }

  answer(call: Call, answer: number): void {
    this.#channel.answer(call, answer);
    this.#tell(call, answer, performance.now() - call.since);
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
