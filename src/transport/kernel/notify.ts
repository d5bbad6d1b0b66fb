import { write } from 'node:fs';
import { NotifyCode } from '../../abi/fuse.ts';
import type { Fields, Struct, View } from '../../abi/struct.ts';
import {
  fuseNotifyInvalEntryOut,
  fuseNotifyInvalInodeOut,
  fuseNotifyPollWakeupOut,
  fuseOutHeader,
} from '../../abi/structs.ts';

/**
 * Sends a notification: a reply to no request, with its code where an error would be.
 *
 * Written by another thread (libuv's): the kernel may wait for a lock that a client holds while it waits for this
 * thread, such as the directory's during a lookup (fuse_reverse_inval_entry). Whatever comes back is as good: ENOENT
 * means that the kernel didn't know the inode, and ENODEV that it is gone.
 */
function notify<F extends Fields>(
  fd: number,
  code: number,
  struct: Struct<F>,
  fill: (body: View<F>) => void,
  name = '',
): void {
  const text = Buffer.from(name === '' ? '' : `${name}\0`);
  const bytes = new Uint8Array(fuseOutHeader.size + struct.size + text.length);
  const view = new DataView(bytes.buffer);
  Object.assign(fuseOutHeader.at(view, 0), { len: bytes.length, error: code, unique: 0 });
  fill(struct.at(view, fuseOutHeader.size));
  bytes.set(text, fuseOutHeader.size + struct.size);
  write(fd, bytes, () => {});
}

/** Makes the kernel forget a name, at once and for everybody. */
export function notifyInvalEntry(fd: number, parent: number, name: string): void {
  notify(
    fd,
    NotifyCode.INVAL_ENTRY,
    fuseNotifyInvalEntryOut,
    (body) => {
      body.parent = parent;
      body.namelen = Buffer.byteLength(name);
    },
    name,
  );
}

/** Makes the kernel forget an inode's attributes and all its cached pages, those that are mapped too. */
export function notifyInvalInode(fd: number, ino: number): void {
  notify(fd, NotifyCode.INVAL_INODE, fuseNotifyInvalInodeOut, (body) => {
    body.ino = ino;
  });
}

/** Wakes whoever polls with the handle `kh`. */
export function notifyPoll(fd: number, kh: number): void {
  notify(fd, NotifyCode.POLL, fuseNotifyPollWakeupOut, (body) => {
    body.kh = kh;
  });
}
