import { fuseDirent, fuseOpenIn, fuseOpenOut, fuseReadIn, fuseReleaseIn } from '../../../../abi/structs.ts';
import type { ProcDirEntry } from '../../../../proc-fs/proc-dir-entry.ts';
import { EINVAL } from '../../../../sys/errno.ts';
import { DT } from '../../../../sys/stat.ts';
import type { Call } from '../call.ts';
import { nothing } from '../nothing.ts';
import { onDirectory } from '../operation.ts';
import type { TreeInodes } from '../tree-inodes.ts';
import { newFile } from './open.ts';

export const opendir = onDirectory(
  fuseOpenIn,
  (directory: ProcDirEntry, call, { flags }, inodes: TreeInodes) => {
    call.output(fuseOpenOut).fh = inodes.keepFile(newFile(call, flags), directory);
    return fuseOpenOut.size;
  },
);

export const releasedir = onDirectory(
  fuseReleaseIn,
  (directory: ProcDirEntry, _call, { fh }, inodes: TreeInodes) => {
    inodes.dropFile(directory, fh);
    return 0;
  },
);

export const fsyncdir = onDirectory(
  nothing,
  (_directory: ProcDirEntry, _call, _input, _inodes: TreeInodes) => 0,
);

/** Where the `..` of a listing stands; `.` is before it, and an entry stands at its inode number, which is above. */
const DOT = 0;
const DOT_DOT = 1;

/**
 * A position in a directory is the inode number after which to go on: numbers only grow, so entries that come and go
 * between two calls make none of the others appear twice or not at all.
 */
export const readdir = onDirectory(
  fuseReadIn,
  (directory: ProcDirEntry, call, { offset, size }, _inodes: TreeInodes) => {
    if (size > call.room) return -EINVAL;
    const list = new DirectoryListing(call, size);
    if (offset <= DOT) list.add('.', directory.ino, DOT_DOT, DT.directory);
    if (offset <= DOT_DOT) list.add('..', directory.parent.ino, DOT_DOT + 1, DT.directory);
    for (const { name, ino, kind } of directory.children) {
      if (ino >= offset) list.add(name, ino, ino + 1, DT[kind]);
    }
    return list.length;
  },
);

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
    this.#call.outputBytes(this.length, size).set(bytes, fuseDirent.size);
    Object.assign(this.#call.outputAt(fuseDirent, this.length), {
      ino,
      off: next,
      namelen: bytes.length,
      type,
    });
    this.length += size;
  }
}
