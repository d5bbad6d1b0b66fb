import { fuseDirent, fuseOpenIn, fuseOpenOut, fuseReadIn, fuseReleaseIn } from '../../../../abi/structs.ts';
import { EINVAL, ENOENT, ENOTDIR } from '../../../../sys/errno.ts';
import { DT_DIR, DT_REG } from '../../../../sys/stat.ts';
import { type Call, REPLY_HEADER } from '../call.ts';
import { type Operation, operation } from '../operation.ts';
import type { TreeServer } from '../tree-server.ts';
import { newFile } from './open.ts';

export const opendir = operation(fuseOpenIn, (server: TreeServer, call, input) => {
  const directory = server.node(call.header.nodeid);
  if (directory === undefined) return -ENOENT;
  if (!directory.isDirectory) return -ENOTDIR;
  call.output(fuseOpenOut).fh = server.keepFile(newFile(call, input.flags), undefined);
  return fuseOpenOut.size;
});

export const releasedir = operation(fuseReleaseIn, (server: TreeServer, _call, input) => {
  server.dropFile(input.fh);
  return 0;
});

export const fsyncdir: Operation<TreeServer> = { size: 0, serve: () => 0 };

/** Where the `..` of a listing stands; `.` is before it, and an entry stands at its inode number, which is above. */
const DOT = 0;
const DOT_DOT = 1;

/**
 * A position in a directory is the inode number after which to go on: numbers only grow, so entries that come and go
 * between two calls make none of the others appear twice or not at all.
 */
export const readdir = operation(fuseReadIn, (server: TreeServer, call, input) => {
  const directory = server.node(call.header.nodeid);
  if (directory === undefined) return -ENOENT;
  if (!directory.isDirectory) return -ENOTDIR;
  if (input.size > call.reply.length - REPLY_HEADER) return -EINVAL;
  const list = new DirectoryListing(call, input.size);
  if (input.offset <= DOT) list.add('.', directory.ino, DOT_DOT, DT_DIR);
  if (input.offset <= DOT_DOT) list.add('..', directory.parent.ino, DOT_DOT + 1, DT_DIR);
  for (const { name, ino, isDirectory } of directory.children) {
    if (ino >= input.offset) list.add(name, ino, ino + 1, isDirectory ? DT_DIR : DT_REG);
  }
  return list.length;
});

/** Directory entries, one behind the other, as many as fit. */
class DirectoryListing {
  length = 0;
  readonly #call: Call;
  readonly #size: number;
  #full = false;

  constructor(call: Call, size: number) {
    this.#call = call;
    this.#size = size;
  }

  /** `next` is the position behind this entry. */
  add(name: string, ino: number, next: number, type: number): void {
    const bytes = Buffer.from(name);
    const size = Math.ceil((fuseDirent.size + bytes.length) / 8) * 8;
    this.#full ||= this.length + size > this.#size;
    if (this.#full) return;
    const at = REPLY_HEADER + this.length;
    this.#call.reply.fill(0, at, at + size).set(bytes, at + fuseDirent.size);
    Object.assign(this.#call.outputAt(fuseDirent, at), { ino, off: next, namelen: bytes.length, type });
    this.length += size;
  }
}
