import { fuseCopyFileRangeIn, fuseFallocateIn, fuseWriteOut } from '../../../../abi/structs.ts';
import { ENOENT, EXDEV } from '../../../../sys/errno.ts';
import { andThen, type FileServer, operation } from '../operation.ts';

export const fallocate = operation(fuseFallocateIn, (server: FileServer, call, input) => {
  const ops = server.node(call.header.nodeid)?.ops;
  if (ops === undefined) return -ENOENT;
  return ops.procFallocate(server.file(input.fh, 0), input.mode, input.offset, input.length);
});

/** Between two files the kernel copies by itself once it has seen EXDEV (fuse_copy_file_range). */
export const copyFileRange = operation(fuseCopyFileRangeIn, (server: FileServer, call, input) => {
  const ops = server.node(call.header.nodeid)?.ops;
  if (ops === undefined) return -ENOENT;
  if (input.nodeid_out !== call.header.nodeid) return -EXDEV;
  return andThen(ops.procCopyFileRange(input.off_in, input.off_out, input.len), (copied) => {
    call.output(fuseWriteOut).size = copied;
    return fuseWriteOut.size;
  });
});
