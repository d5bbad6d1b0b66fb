import type { ProcDirEntry } from '../../../../proc-fs/entries/entry.ts';
import { whenThere } from '../../../../proc-fs/later.ts';
import { ENAMETOOLONG } from '../../../../sys/errno.ts';
import { PAGE_SIZE } from '../init.ts';
import { nothing } from '../nothing.ts';
import { onNode } from '../operation.ts';
import type { TreeInodes } from '../tree-inodes.ts';

/** Where a symbolic link leads, in less than a page, without a NUL at its end (fuse_readlink_folio). */
export const readlink = onNode(nothing, (node: ProcDirEntry, call, _input, _inodes: TreeInodes) =>
  whenThere(node.readlink(call.caller), (target) => {
    if (typeof target === 'number') return target;
    const bytes = Buffer.from(target);
    if (bytes.length >= PAGE_SIZE) return -ENAMETOOLONG;
    call.outputBytes(0, bytes.length).set(bytes);
    return bytes.length;
  }),
);
