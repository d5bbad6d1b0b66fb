import { fuseLseekIn, fuseLseekOut } from '../../../../abi/structs.ts';
import { andThen, type Inodes, type Node, onFile } from '../operation.ts';

/** Only SEEK_DATA and SEEK_HOLE arrive; the kernel answers the others from the size it knows (fuse_file_llseek). */
export const lseek = onFile(
  fuseLseekIn,
  (ops, file, call, { offset, whence }, _inodes: Inodes, _node: Node) =>
    andThen(ops.procLseek(file, offset, whence, call.caller), (position) => {
      call.output(fuseLseekOut).offset = position;
      return fuseLseekOut.size;
    }),
);
