import type { Fields, Struct, View } from '../../../abi/c-struct.ts';
import { NotifyCode } from '../../../abi/fuse.ts';
import {
  fuseNotifyInvalEntryOut,
  fuseNotifyInvalInodeOut,
  fuseNotifyPollWakeupOut,
  fuseNotifyRetrieveOut,
  fuseNotifyStoreOut,
  fuseOutHeader,
} from '../../../abi/structs.ts';
import type { Channel } from './channel.ts';

/** A notification: a reply to no request, with its code where an error would be. */
function notification<F extends Fields>(
  code: number,
  struct: Struct<F>,
  fill: (body: View<F>) => void,
  tail: Uint8Array = new Uint8Array(),
): Uint8Array {
  const bytes = new Uint8Array(fuseOutHeader.size + struct.size + tail.length);
  const view = new DataView(bytes.buffer);
  Object.assign(fuseOutHeader.at(view, 0), { len: bytes.length, error: code, unique: 0 });
  fill(struct.at(view, fuseOutHeader.size));
  bytes.set(tail, fuseOutHeader.size + struct.size);
  return bytes;
}

/** Forget the attributes of an inode, and the cached pages of a range, after what clients changed in them was written back. */
export function invalPages({ ino, offset, length }: PageRange): Uint8Array {
  return notification(NotifyCode.INVAL_INODE, fuseNotifyInvalInodeOut, (body) => {
    body.ino = ino;
    body.off = offset;
    body.len = length;
  });
}

/** Put these bytes into the cached pages of an inode, beside what clients changed in them. */
export function storePages(ino: number, offset: number, data: Uint8Array): Uint8Array {
  const fill = (body: View<{ nodeid: 'u64'; offset: 'u64'; size: 'u32' }>) => {
    body.nodeid = ino;
    body.offset = offset;
    body.size = data.length;
  };
  return notification(NotifyCode.STORE, fuseNotifyStoreOut, fill, data);
}

/**
 * Have the kernel make a request on the processor on which this is written: a NOTIFY_REPLY of this number, with nothing of a regular file's
 * cached bytes. Source: fuse_notify_retrieve, fs/fuse/dev.c.
 */
export function retrieveNothing(ino: number, unique: number): Uint8Array {
  return notification(NotifyCode.RETRIEVE, fuseNotifyRetrieveOut, (body) => {
    body.notify_unique = unique;
    body.nodeid = ino;
  });
}

/** Makes the kernel forget a name, at once and for everybody. */
export function notifyInvalEntry(channel: Channel, parent: number, name: string): void {
  const text = Buffer.from(`${name}\0`);
  const message = notification(
    NotifyCode.INVAL_ENTRY,
    fuseNotifyInvalEntryOut,
    (body) => {
      body.parent = parent;
      body.namelen = text.length - 1;
    },
    text,
  );
  channel.notify(message);
}

/** Makes the kernel forget an inode's attributes and all its cached pages, those that are mapped too. */
export function notifyInvalInode(channel: Channel, ino: number): void {
  channel.notify(invalPages({ ino, offset: 0, length: 0 }));
}

/** Makes the kernel forget an inode's attributes alone, for which it waits for nobody. */
export function notifyInvalAttributes(channel: Channel, ino: number): void {
  channel.notifyNow(invalPages({ ino, offset: -1, length: 0 }));
}

/** Makes the kernel forget the cached pages of a range: see invalPages. */
export function notifyInvalPages(channel: Channel, range: PageRange, done: () => void): void {
  channel.notify(invalPages(range), done);
}

/**
 * Puts a byte into an inode's page cache, which thereby ends behind it. Waits for nobody, where no page is asked for meanwhile.
 * Source: fuse_notify_store, fs/fuse/dev.c.
 */
export function notifyStoreByte(channel: Channel, ino: number, offset: number): void {
  channel.notifyNow(storePages(ino, offset, new Uint8Array(1)));
}

/** A part of a file, in bytes. */
export interface PageRange {
  readonly ino: number;
  readonly offset: number;
  readonly length: number;
}

/** Wakes whoever polls with the handle `kh`. */
export function notifyPoll(channel: Channel, kh: number): void {
  const message = notification(NotifyCode.POLL, fuseNotifyPollWakeupOut, (body) => {
    body.kh = kh;
  });
  channel.notify(message);
}
