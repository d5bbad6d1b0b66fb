import { fuseCopyFileRangeIn, fuseFallocateIn, fuseWriteOut } from '../../../../abi/structs.ts';
import { ENOENT, EOPNOTSUPP, EXDEV } from '../../../../sys/errno.ts';
import { andThen, type Inodes, type Node, onFile, onNode } from '../operation.ts';

const PAGE_SIZE = 4096;

export const fallocate = onFile(
  fuseFallocateIn,
  (ops, file, { caller }, { mode, offset, length }, _inodes: Inodes, _node: Node) =>
    ops.procFallocate(file, mode, offset, length, caller),
);

/** Between two files the kernel copies by itself once it has seen EXDEV (fuse_copy_file_range). */
export const copyFileRange = onNode(fuseCopyFileRangeIn, ({ ops }: Node, call, input, _inodes: Inodes) => {
  if (ops === undefined) return -ENOENT;
  if (input.nodeid_out !== call.header.nodeid) return -EXDEV;
  // The kernel throws away what a mapping stored in the pages at both ends meanwhile (truncate_inode_pages_range): it copies by
  // reading and writing then.
  if (ops.placement.mmap && !(isOnPage(input.off_out) && isOnPage(input.len))) return -EOPNOTSUPP;
  return andThen(ops.procCopyFileRange(input.off_in, input.off_out, input.len, call.caller), (copied) => {
    call.output(fuseWriteOut).size = copied;
    return fuseWriteOut.size;
  });
});

function isOnPage(offset: number): boolean {
  return offset % PAGE_SIZE === 0;
}
