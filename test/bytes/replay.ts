import { fuseInHeader } from '../../src/abi/structs.ts';
import { Direction } from '../../src/transport/kernel/channel/recording.ts';
import { show, timeless } from './protocol.ts';
import { messagesIn } from './recording.ts';
import type { World } from './world.ts';

/** How a replayed request was answered, and how when it was recorded; undefined: not at all. */
export interface Replayed {
  readonly opcode: number;
  readonly request: string;
  readonly recorded: string | undefined;
  readonly replayed: string | undefined;
}

/** Plays a recorded session's requests on a world. Notifications aren't compared: nothing here changes by itself. */
export function replay(recording: Uint8Array, world: World): Replayed[] {
  const messages = messagesIn(recording);
  const replies = new Map<number, Uint8Array>();
  for (const { direction, bytes } of messages) {
    // unique stands in the same place of both headers.
    if (direction === Direction.REPLY) replies.set(uniqueOf(bytes), bytes);
  }
  const requests = messages.filter(({ direction }) => direction === Direction.REQUEST);
  return requests.map(({ bytes: request }, i) => {
    const { opcode } = fuseInHeader.at(new DataView(request.buffer), 0);
    const hex = (reply: Uint8Array | undefined) =>
      reply && Buffer.from(timeless(opcode, reply)).toString('hex');
    const [replayed] = i === 0 ? world.initialize(request) : world.send(request);
    return {
      opcode,
      request: show(request),
      recorded: hex(replies.get(uniqueOf(request))),
      replayed: hex(replayed),
    };
  });
}

function uniqueOf(message: Uint8Array): number {
  return Number(new DataView(message.buffer, message.byteOffset).getBigUint64(8, true));
}
