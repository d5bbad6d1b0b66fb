import type { Fields, Struct, View } from '../../../abi/c-struct.ts';
import { NotifyCode } from '../../../abi/fuse.ts';
import {
  fuseNotifyInvalEntryOut,
  fuseNotifyInvalInodeOut,
  fuseNotifyPollWakeupOut,
  fuseNotifyStoreOut,
  fuseOutHeader,
} from '../../../abi/structs.ts';
import type { Channel } from './channel.ts';

/** Sends a notification: a reply to no request, with its code where an error would be. */
function notify<F extends Fields>(
  channel: Channel,
  code: number,
  struct: Struct<F>,
  fill: (body: View<F>) => void,
  { name = '', done }: { name?: string; done?: (() => void) | undefined } = {},
): void {
  const text = Buffer.from(name === '' ? '' : `${name}\0`);
  const bytes = new Uint8Array(fuseOutHeader.size + struct.size + text.length);
  const view = new DataView(bytes.buffer);
  Object.assign(fuseOutHeader.at(view, 0), { len: bytes.length, error: code, unique: 0 });
  fill(struct.at(view, fuseOutHeader.size));
  bytes.set(text, fuseOutHeader.size + struct.size);
  channel.notify(bytes, done);
}

/** Makes the kernel forget a name, at once and for everybody. */
export function notifyInvalEntry(channel: Channel, parent: number, name: string): void {
  notify(
    channel,
    NotifyCode.INVAL_ENTRY,
    fuseNotifyInvalEntryOut,
    (body) => {
      body.parent = parent;
      body.namelen = Buffer.byteLength(name);
    },
    { name },
  );
}

/** Makes the kernel forget an inode's attributes and all its cached pages, those that are mapped too. */
export function notifyInvalInode(channel: Channel, ino: number): void {
  notify(channel, NotifyCode.INVAL_INODE, fuseNotifyInvalInodeOut, (body) => {
    body.ino = ino;
  });
}

/** Makes the kernel forget the cached pages of a range, after what clients changed in them was written back. */
export function notifyInvalPages(
  channel: Channel,
  { ino, offset, length }: PageRange,
  done: () => void,
): void {
  notify(
    channel,
    NotifyCode.INVAL_INODE,
    fuseNotifyInvalInodeOut,
    (body) => {
      body.ino = ino;
      body.off = offset;
      body.len = length;
    },
    { done },
  );
}

/**
 * Puts a byte into an inode's page cache, which thereby ends behind it. Waits for nobody, where no page is asked for meanwhile.
 * Source: fuse_notify_store, fs/fuse/dev.c.
 */
export function notifyStoreByte(channel: Channel, ino: number, offset: number): void {
  const bytes = new Uint8Array(fuseOutHeader.size + fuseNotifyStoreOut.size + 1);
  const view = new DataView(bytes.buffer);
  Object.assign(fuseOutHeader.at(view, 0), { len: bytes.length, error: NotifyCode.STORE, unique: 0 });
  Object.assign(fuseNotifyStoreOut.at(view, fuseOutHeader.size), { nodeid: ino, offset, size: 1 });
  channel.notifyNow(bytes);
}

/** A part of a file, in bytes. */
export interface PageRange {
  readonly ino: number;
  readonly offset: number;
  readonly length: number;
}

/** Wakes whoever polls with the handle `kh`. */
export function notifyPoll(channel: Channel, kh: number): void {
  notify(channel, NotifyCode.POLL, fuseNotifyPollWakeupOut, (body) => {
    body.kh = kh;
  });
}
