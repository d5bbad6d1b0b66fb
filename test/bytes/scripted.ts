import type { ProcDirEntry } from '../../src/proc-fs/entries/entry.ts';
import type { Call } from '../../src/transport/kernel/wire/call.ts';
import { type Channel, Next } from '../../src/transport/kernel/wire/channel.ts';
import { NO_REPLY } from '../../src/transport/kernel/wire/operation.ts';
import { World } from './world.ts';

/** A channel without a kernel: gives one request at a time, and keeps what is answered. */
class ScriptedChannel implements Channel {
  readonly written: Uint8Array[] = [];
  #next: Uint8Array | undefined;
  readonly #poison: number;
  /** The buffer that was read into last, and how much of it isn't poison. */
  #buffer: Uint8Array | undefined;
  #dirty = 0;

  constructor(poison: number) {
    this.#poison = poison;
  }

  give(request: Uint8Array): void {
    this.#next = request;
    this.written.length = 0;
  }

  /** As the kernel puts it there, but all that is behind it is poison, and not what an earlier request left. */
  next(call: Call): Call | Next {
    const request = this.#next;
    if (request === undefined) return Next.NOTHING;
    this.#next = undefined;
    const bytes = call.request;
    bytes.set(request);
    bytes.fill(this.#poison, request.length, bytes === this.#buffer ? this.#dirty : bytes.length);
    this.#buffer = bytes;
    this.#dirty = request.length;
    return call.arrived(request.length) ? call : Next.NOTHING;
  }

  answer(call: Call, answer: number): void {
    if (answer === NO_REPLY) return;
    const length = call.finish(answer);
    if (length > call.reply.length)
      throw new RangeError(`A reply of ${length} bytes has room for ${call.reply.length}.`);
    this.written.push(call.reply.slice(0, length));
  }

  notify(_message: Uint8Array, done?: () => void): void {
    done?.();
  }
  notifyNow(): void {}
  close(): void {}
}

/** A world that is sent one request after the other. */
export class Scripted implements Disposable {
  readonly #world: World;
  readonly #channel: ScriptedChannel;

  /** `poison` is what stands behind each request. `more` adds to the tree. */
  static async start(poison = 0, more: (root: ProcDirEntry) => void = () => {}): Promise<Scripted> {
    const channel = new ScriptedChannel(poison);
    return new Scripted(await World.start(channel, more), channel);
  }

  private constructor(world: World, channel: ScriptedChannel) {
    this.#world = world;
    this.#channel = channel;
  }

  /** What is written back for the first request of a mount. */
  initialize(request: Uint8Array): Uint8Array[] {
    this.#channel.give(request);
    this.#world.initialize();
    return [...this.#channel.written];
  }

  /** What is written back for a request. */
  send(request: Uint8Array): Uint8Array[] {
    this.#channel.give(request);
    this.#world.run();
    return [...this.#channel.written];
  }

  [Symbol.dispose](): void {
    this.#world[Symbol.dispose]();
  }
}
