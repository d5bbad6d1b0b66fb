import { closeSync, write as writeLater } from 'node:fs';
import { EAGAIN, EINTR, EIO, ENODEV, ENOENT, Errno } from '../../../sys/errno.ts';
import { read, write } from '../../../sys/read-write.ts';
import type { Call } from '../wire/call.ts';
import { type Channel, Next } from '../wire/channel.ts';
import { NO_REPLY } from '../wire/operation.ts';

/** How a channel waits when the device has no request. */
export interface Waiting {
  /** Called when there was none. Waits, or not yet; returns false when it was told to wait no more. */
  wait(): boolean;
  /** Called when there was one. */
  arrived(call: Call): void;
}

/**
 * An open /dev/fuse that belongs to a mount, non-blocking. All threads of a mount read from and write to the same one, each by a
 * channel of its own.
 */
export class DeviceChannel implements Channel {
  readonly fd: number;
  readonly #waiting: Waiting | undefined;
  #closed = false;
  /** How many notifications are being written. */
  #notifying = 0;

  /** Without `waiting`, it doesn't wait. */
  constructor(fd: number, waiting?: Waiting) {
    this.fd = fd;
    this.#waiting = waiting;
  }

  /** A call's request must have room for max_write and 4 KiB more, or the kernel answers EINVAL (fuse_dev_do_read). */
  next(call: Call): Call | Next {
    for (;;) {
      const length = read(this.fd, call.request);
      if (length > 0) {
        if (!call.arrived(length)) continue;
        this.#waiting?.arrived(call);
        return call;
      }
      switch (-length) {
        case EAGAIN:
          if (this.#waiting?.wait()) continue;
          return Next.NOTHING;
        // The request was interrupted before it could be read, or this thread was.
        case ENOENT:
        case EINTR:
          continue;
        case ENODEV:
          return Next.UNMOUNTED;
        default:
          throw new Errno(-length, 'read');
      }
    }
  }

  answer(call: Call, answer: number): void {
    if (answer === NO_REPLY || this.#closed) return;
    const error = -write(this.fd, call.reply, call.finish(answer));
    // ENOENT: nobody waits for it any more, the request was interrupted. ENODEV: unmounted meanwhile.
    if (error <= 0 || error === ENOENT || error === ENODEV) return;
    console.error(new Errno(error, 'write'));
    if (answer !== -EIO) this.answer(call, -EIO);
  }

  /**
   * By another thread (libuv's): the kernel may wait for a lock that a client holds while it waits for this thread, such as the
   * directory's during a lookup (fuse_reverse_inval_entry). Whatever comes back is as good: ENOENT means that the kernel
   * didn't know the inode, and ENODEV that it is gone.
   */
  notify(message: Uint8Array, done?: () => void): void {
    if (this.#closed) {
      done?.();
      return;
    }
    this.#notifying++;
    writeLater(this.fd, message, () => {
      done?.();
      this.#notifying--;
      this.#closeUnused();
    });
  }

  notifyNow(message: Uint8Array): void {
    if (!this.#closed) write(this.fd, message, message.length);
  }

  /** Lets go of the descriptor, after which replies and notifications go nowhere: its number may be another file's. */
  close(): void {
    this.#closed = true;
    this.#closeUnused();
  }

  #closeUnused(): void {
    if (this.#closed && this.#notifying === 0) closeSync(this.fd);
  }
}
