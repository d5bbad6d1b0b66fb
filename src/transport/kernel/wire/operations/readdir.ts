import { fuseDirent, fuseOpenIn, fuseOpenOut, fuseReadIn, fuseReleaseIn } from '../../../../abi/structs.ts';
import type { ProcDirEntry } from '../../../../proc-fs/entries/entry.ts';
import { OpenDirectory } from '../../../../proc-fs/entries/open-directory.ts';
import { whenThere } from '../../../../proc-fs/later.ts';
import { released, whenReleased } from '../../../../proc-fs/released.ts';
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
    const file = newFile(call, flags);
    const open = new OpenDirectory(directory);
    file.privateData = open;
    whenReleased(file, () => open.close());
    call.output(fuseOpenOut).fh = inodes.keepFile(file, directory, undefined);
    return fuseOpenOut.size;
  },
);

export const releasedir = onDirectory(
  fuseReleaseIn,
  (directory: ProcDirEntry, _call, { fh }, inodes: TreeInodes) => {
    const file = inodes.file(directory, fh);
    if (file !== undefined) released(file);
    inodes.dropFile(directory, fh);
    return 0;
  },
);

export const fsyncdir = onDirectory(
  nothing,
  (_directory: ProcDirEntry, _call, _input, _inodes: TreeInodes) => 0,
);

export const readdir = onDirectory(
  fuseReadIn,
  (directory: ProcDirEntry, call, { fh, offset, size }, inodes: TreeInodes) => {
    if (size > call.room) return -EINVAL;
    const open = inodes.file(directory, fh)?.privateData;
    if (!(open instanceof OpenDirectory)) return -EINVAL;
    const list = new DirectoryListing(call, size);
    const listed = open.list(offset, call.caller, (name, { ino, kind }, next) =>
      list.add(name, ino, next, DT[kind]),
    );
    return whenThere(listed, () => list.length);
  },
);

/** Directory entries, one behind the other, as many as fit. */
class DirectoryListing {
  length = 0;
  readonly #call: Call;
  readonly #size: number;

  constructor(call: Call, size: number) {
    this.#call = call;
    this.#size = size;
  }

  /** `next` is the position behind this entry. Returns false when it doesn't fit. */
  add(name: string, ino: number, next: number, type: number): boolean {
    const bytes = Buffer.from(name);
    const size = Math.ceil((fuseDirent.size + bytes.length) / 8) * 8;
    if (this.length + size > this.#size) return false;
    this.#call.outputBytes(this.length, size).set(bytes, fuseDirent.size);
    Object.assign(this.#call.outputAt(fuseDirent, this.length), {
      ino,
      off: next,
      namelen: bytes.length,
      type,
    });
    this.length += size;
    return true;
  }
}
