import { expect } from 'vitest';
import { fuseOutHeader } from '../../src/abi/structs.ts';
import { Direction } from '../../src/transport/kernel/channel/recording.ts';
import type { Call } from '../../src/transport/kernel/wire/call.ts';
import { type Channel, Next } from '../../src/transport/kernel/wire/channel.ts';
import { NO_REPLY } from '../../src/transport/kernel/wire/operation.ts';
import { show, timeless } from './protocol.ts';
import { messagesIn, requestsIn } from './recording.ts';
import { World } from './world.ts';

/** How a replayed request was answered, and how when it was recorded; undefined: not at all. */
export interface Replayed {
  readonly opcode: number;
  readonly request: string;
  readonly recorded: string | undefined;
  replayed: string | undefined;
}

/** A channel that plays the requests of a recorded mount, and keeps what they are answered. */
class ReplayChannel implements Channel {
  /** The requests that have been played, by their number. */
  readonly played = new Map<number, Replayed>();
  readonly #requests: Uint8Array[];
  readonly #replies = new Map<number, Uint8Array>();
  #next = 0;

  constructor(recording: Uint8Array) {
    const messages = messagesIn(recording);
    this.#requests = messages
      .filter(({ direction }) => direction === Direction.REQUEST)
      .map(({ bytes }) => bytes);
    for (const { direction, bytes } of messages) {
      // unique stands in the same place of both headers.
      if (direction === Direction.REPLY) this.#replies.set(uniqueOf(bytes), bytes);
    }
  }

  next(call: Call): Call | Next {
    const request = this.#requests[this.#next++];
    if (request === undefined) return Next.UNMOUNTED;
    call.request.set(request);
    if (!call.arrived(request.length)) return this.next(call);
    const { opcode, unique } = call.header;
    this.played.set(unique, {
      opcode,
      request: show(request),
      recorded: hex(opcode, this.#replies.get(unique)),
      replayed: undefined,
    });
    return call;
  }

  answer(call: Call, answer: number): void {
    if (answer === NO_REPLY) return;
    const played = this.played.get(call.header.unique);
    if (played !== undefined) played.replayed = hex(played.opcode, call.reply.slice(0, call.finish(answer)));
  }

  /** Notifications aren't compared: nothing here changes by itself. */
  notify(_message: Uint8Array, done?: () => void): void {
    done?.();
  }
  notifyNow(): void {}
  close(): void {}
}

/** Plays a recorded mount's requests, without a kernel. `byRings`: they came by io_uring. */
export async function replay(recording: Uint8Array, byRings = false): Promise<Replayed[]> {
  const channel = new ReplayChannel(recording);
  using world = await World.start(channel);
  world.initialize(byRings);
  world.run();
  return [...channel.played.values()];
}

function hex(opcode: number, reply: Uint8Array | undefined): string | undefined {
  return reply && Buffer.from(timeless(opcode, reply)).toString('hex');
}

function uniqueOf(message: Uint8Array): number {
  return fuseOutHeader.at(new DataView(message.buffer, message.byteOffset), 0).unique;
}

/** Without a kernel, the same requests have the same replies, to the last byte but those of the clock. */
export async function expectSame(recording: Uint8Array, byRings = false): Promise<void> {
  const replayed = await replay(recording, byRings);
  expect(replayed).toHaveLength(requestsIn(recording).length);
  expect(replayed.map(({ request, replayed: reply }) => ({ request, reply }))).toEqual(
    replayed.map(({ request, recorded: reply }) => ({ request, reply })),
  );
}
