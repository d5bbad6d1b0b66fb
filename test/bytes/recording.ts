import { Direction, recordHeader } from '../../src/transport/kernel/channel/recording.ts';

/** A mount used by the clients in record.ts, recorded on Linux 6.18: `npm run record` makes it anew. */
export const RECORDING = new URL('./mount.recording', import.meta.url);

export interface Message {
  readonly direction: number;
  readonly bytes: Uint8Array;
}

/** The messages of a recording, in order. Throws when it is cut off in the middle of one. */
export function messagesIn(recording: Uint8Array): Message[] {
  const view = new DataView(recording.buffer, recording.byteOffset, recording.byteLength);
  const messages: Message[] = [];
  let at = 0;
  while (at < recording.length) {
    const { length, direction } = recordHeader.at(view, at);
    const start = at + recordHeader.size;
    at = start + length;
    if (at > recording.length) throw new RangeError(`The recording ends within the message at ${start}.`);
    // A copy, so that what is read behind a request's end isn't the next message.
    messages.push({ direction, bytes: new Uint8Array(recording.subarray(start, at)) });
  }
  return messages;
}

/** The requests alone. */
export function requestsIn(recording: Uint8Array): Uint8Array[] {
  return messagesIn(recording)
    .filter(({ direction }) => direction === Direction.REQUEST)
    .map(({ bytes }) => bytes);
}
