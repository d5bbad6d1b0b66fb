import { FUSE_FSYNC_FDATASYNC } from '../../../../abi/fuse.ts';
import { fuseFsyncIn } from '../../../../abi/structs.ts';
import { type Inodes, type Node, onFile } from '../operation.ts';

export const fsync = onFile(
  fuseFsyncIn,
  (ops, file, { caller }, { fsync_flags: flags }, _inodes: Inodes, _node: Node) =>
    ops.procFsync(file, (flags & FUSE_FSYNC_FDATASYNC) !== 0, caller),
);
