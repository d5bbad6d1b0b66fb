import { closeSync, constants, openSync, writevSync } from 'node:fs';
import { struct } from '../../../abi/c-struct.ts';
import { MountError } from '../../../mount/mount-error.ts';
import { quote } from '../../../text/quote.ts';
import { reason } from '../../../text/reason.ts';
import { FuseDevice } from './device.ts';

/**
 * A recording is the messages of a session one behind the other, each with this in front: its length in bytes, and its
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
    throw new MountError(`Cannot record to ${quote(path)}: ${reason(error)}`, { cause: error });
  }
}

/** A session's device, which is recorded when there is a file to record in. */
export function openDevice(fd: number, recording: number | undefined): FuseDevice {
  return recording === undefined ? new FuseDevice(fd) : new RecordingDevice(fd, recording);
}

/**
 * A device that notes each message in a file which all threads of the session append to. A class of its own, chosen at
 * the start: a session that isn't recorded does nothing for it.
 */
class RecordingDevice extends FuseDevice {
  #recording: number | undefined;
  readonly #bytes = new Uint8Array(recordHeader.size);
  readonly #header = recordHeader.at(new DataView(this.#bytes.buffer), 0);

  constructor(fd: number, recording: number) {
    super(fd);
    this.#recording = recording;
  }

  override read(bytes: Uint8Array): number {
    const length = super.read(bytes);
    if (length > 0) this.#record(Direction.REQUEST, bytes, length);
    return length;
  }

  /** Noted before it is sent, so that what a client does because of it, on any thread, stands behind it. */
  override write(bytes: Uint8Array, length: number): void {
    this.#record(Direction.REPLY, bytes, length);
    super.write(bytes, length);
  }

  override notify(bytes: Uint8Array): void {
    this.#record(Direction.REPLY, bytes, bytes.length);
    super.notify(bytes);
  }

  override close(): void {
    super.close();
    if (this.#recording !== undefined) closeSync(this.#recording);
    this.#recording = undefined;
  }

  /** One write with O_APPEND, which no other thread's gets into. A disk that is full ends the recording, not the mount. */
  #record(direction: number, bytes: Uint8Array, length: number): void {
    if (this.#recording === undefined) return;
    Object.assign(this.#header, { length, direction });
    try {
      writevSync(this.#recording, [this.#bytes, bytes.subarray(0, length)]);
    } catch (error) {
      console.error(`ramproc: the recording ends here: ${reason(error)}`);
      this.#recording = undefined;
    }
  }
}
