import type { Caller } from '../../../proc-fs/caller.ts';
import type { Channel } from './channel.ts';
import { notifyStoreByte } from './notify.ts';
import type { Node } from './operation.ts';

/** Behind whatever a handler gives, in bytes: a number that is exact, and that a client can still write behind. */
const FAR = 2 ** 52;

/** Whether a node is a file that has no end to tell: nobody has given it a size either (procSetSize). */
export function isEndless(node: Node, caller: Caller): boolean {
  if (!node.ops?.isEndless) return false;
  const attr = node.getattr(caller);
  return typeof attr === 'object' && 'size' in attr && attr.size === 0;
}

/**
 * What the kernel is made to take for the ends of open files that have none to tell.
 *
 * Like a file of /proc, such a file says that its size is 0. read(2) asks its handler all the same, but splice(2), and with it
 * sendfile(2) and copy_file_range(2), look at the size and find the end at once: an empty answer, and no error. So when somebody
 * opens it, the kernel's own idea of where it ends is moved far away, and stays there while stat(2) is told 0: an answer that is
 * older than a change isn't kept. Those calls then ask for pages of it, which is EINVAL, and whoever made them reads instead, as
 * from any file that can't be spliced.
 *
 * They can't be given the pages: those are for all who read, whoever they are and whatever they were shown, and to the page cache
 * a read that is short is the end.
 *
 * Source: filemap_splice_read, mm/filemap.c; fuse_write_update_attr, fuse_change_attributes in fs/fuse.
 */
export class FarEnds {
  readonly #ends = new Map<number, number>();
  readonly #channel: Channel;

  constructor(channel: Channel) {
    this.#channel = channel;
  }

  /** Before somebody is told that he has the file open. */
  opened(ino: number): void {
    if (!this.#ends.has(ino)) this.#move(ino, FAR);
  }

  /** Before somebody is told the file's size. */
  asked(ino: number): void {
    const end = this.#ends.get(ino);
    if (end !== undefined) this.#move(ino, end);
  }

  /** A client has written up to `end`, as the kernel counts. */
  written(ino: number, end: number): void {
    const known = this.#ends.get(ino);
    if (known !== undefined && end > known) this.#ends.set(ino, end);
  }

  /** The kernel is told the file's size and keeps it, or forgets the file. */
  forget(ino: number): void {
    this.#ends.delete(ino);
  }

  /** Each time by a byte more: only a change makes older answers void. */
  #move(ino: number, end: number): void {
    notifyStoreByte(this.#channel, ino, end);
    this.#ends.set(ino, end + 1);
  }
}
