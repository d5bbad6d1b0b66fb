import { closeSync, write as writeLater } from 'node:fs';
import { EAGAIN, EINTR, ENODEV, ENOENT, Errno } from '../../../sys/errno.ts';
import { read, write } from '../../../sys/read-write.ts';

/** An open /dev/fuse that belongs to a mount. All threads of a session read from and write to the same one. */
export class FuseDevice {
  readonly fd: number;
  #closed = false;
  /** How many notifications are being written. */
  #notifying = 0;

  constructor(fd: number) {
    this.fd = fd;
  }

  /**
   * Waits for a request and reads it. Returns its length in bytes, or 0 when the file system is unmounted.
   *
   * `bytes` must have room for max_write and 4 KiB more, or the kernel answers EINVAL (fuse_dev_do_read).
   */
  read(bytes: Uint8Array): number {
    for (;;) {
      const length = read(this.fd, bytes);
      if (length >= 0) return length;
      switch (-length) {
        case ENODEV:
          return 0;
        // The request was interrupted before it could be read, or this thread was.
        case ENOENT:
        case EINTR:
        case EAGAIN:
          continue;
        default:
          throw new Errno(-length, 'read');
      }
    }
  }

  /** Writes the reply that fills the first `length` bytes. The kernel takes it whole or not at all. */
  write(bytes: Uint8Array, length: number): void {
    if (this.#closed) return;
    const error = -write(this.fd, bytes, length);
    // ENOENT: nobody waits for it any more, the request was interrupted. ENODEV: unmounted meanwhile.
    if (error > 0 && error !== ENOENT && error !== ENODEV) throw new Errno(error, 'write');
  }

  /**
   * Writes a notification by another thread (libuv's): the kernel may wait for a lock that a client holds while it waits
   * for this thread, such as the directory's during a lookup (fuse_reverse_inval_entry). Whatever comes back is as good:
   * ENOENT means that the kernel didn't know the inode, and ENODEV that it is gone.
   */
  notify(bytes: Uint8Array): void {
    if (this.#closed) return;
    this.#notifying++;
    writeLater(this.fd, bytes, () => {
      this.#notifying--;
      this.#closeUnused();
    });
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
