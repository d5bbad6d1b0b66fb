import { closeSync, constants, openSync, writevSync } from 'node:fs';
import { struct } from '../../../abi/c-struct.ts';
import { MountError } from '../../../mount/mount-error.ts';
import { quote } from '../../../text/quote.ts';
import { reason } from '../../../text/reason.ts';
import type { Call } from '../wire/call.ts';
import type { Channel, Next } from '../wire/channel.ts';
import { NO_REPLY } from '../wire/operation.ts';

/**
 * A recording is the messages of a mount one behind the other, each with this in front: its length in bytes, and its
 * direction. The messages are as they were on /dev/fuse, headers included, the data of reads and writes too.
 */
export const recordHeader = struct({ length: 'u32', direction: 'u32' });

export const Direction = {
  /** Read from the kernel: a request. */
  REQUEST: 0,
  /** Written to the kernel: a reply, or with a `unique` of 0 a notification. */
  REPLY: 1,
} as const;

/** A new file to record in, for its owner alone: it will hold what the files hold. Throws a MountError. */
export function openRecording(path: string): number {
  const { O_WRONLY, O_CREAT, O_TRUNC, O_APPEND } = constants;
  try {
    return openSync(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0o600);
  } catch (error) {
    const why = reason(error, 'choose a file that you may write');
    throw new MountError(`Cannot record to ${quote(path)}: ${why}.`, { cause: error });
  }
}

/** A channel that is recorded, when there is a file to record in. */
export function recorded(channel: Channel, recording: number | undefined): Channel {
  return recording === undefined ? channel : new RecordingChannel(channel, recording);
}

/**
 * Notes each message of another channel in a file which all threads of the mount append to. Wrapped around it at the start: a
 * mount that isn't recorded does nothing for it.
 */
class RecordingChannel implements Channel {
  readonly #channel: Channel;
  #recording: number | undefined;
  readonly #bytes = new Uint8Array(recordHeader.size);
  readonly #header = recordHeader.at(new DataView(this.#bytes.buffer), 0);

  constructor(channel: Channel, recording: number) {
    this.#channel = channel;
    this.#recording = recording;
  }

  next(call: Call): Call | Next {
    const next = this.#channel.next(call);
    if (typeof next === 'object') this.#record(Direction.REQUEST, next.request.subarray(0, next.length));
    return next;
  }

  /** Noted before it is sent, so that what a client does because of it, on any thread, stands behind it. */
  answer(call: Call, answer: number): void {
    if (answer !== NO_REPLY) this.#record(Direction.REPLY, call.reply.subarray(0, call.finish(answer)));
    this.#channel.answer(call, answer);
  }

  notify(message: Uint8Array, done?: () => void): void {
    this.#record(Direction.REPLY, message);
    this.#channel.notify(message, done);
  }

  notifyNow(message: Uint8Array): void {
    this.#record(Direction.REPLY, message);
    this.#channel.notifyNow(message);
  }

  close(): void {
    this.#channel.close();
    if (this.#recording !== undefined) closeSync(this.#recording);
    this.#recording = undefined;
  }

  /** One write with O_APPEND, which no other thread's gets into. A disk that is full ends the recording, not the mount. */
  #record(direction: number, message: Uint8Array): void {
    if (this.#recording === undefined) return;
    Object.assign(this.#header, { length: message.length, direction });
    try {
      writevSync(this.#recording, [this.#bytes, message]);
    } catch (error) {
      console.error(`ramproc: the recording ends here: ${reason(error)}.`);
      this.#recording = undefined;
    }
  }
}
