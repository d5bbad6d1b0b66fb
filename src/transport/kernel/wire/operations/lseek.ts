import { fuseLseekIn, fuseLseekOut } from '../../../../abi/structs.ts';
import { ENOENT } from '../../../../sys/errno.ts';
import { andThen, type FileServer, operation } from '../operation.ts';

/** Only SEEK_DATA and SEEK_HOLE arrive; the kernel answers the others from the size it knows (fuse_file_llseek). */
export const lseek = operation(fuseLseekIn, (server: FileServer, call, input) => {
  const ops = server.node(call.header.nodeid)?.ops;
  if (ops === undefined) return -ENOENT;
  return andThen(ops.procLseek(server.file(input.fh, 0), input.offset, input.whence), (position) => {
    call.output(fuseLseekOut).offset = position;
    return fuseLseekOut.size;
  });
});
