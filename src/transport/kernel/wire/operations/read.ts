import { fuseReadIn } from '../../../../abi/structs.ts';
import { EINVAL } from '../../../../sys/errno.ts';
import { type Inodes, type Node, onFile } from '../operation.ts';

/** The handler fills the reply's body in place. */
export const read = onFile(fuseReadIn, (ops, file, call, input, _inodes: Inodes, _node: Node) => {
  const { size, flags } = input;
  // As they are now: fcntl(2) may have changed them.
  if (file !== undefined) file.flags = flags;
  if (size > call.room) return -EINVAL;
  return ops.procRead(file, call.writer(0, size), input.offset, call.caller);
});
