import { fuseIoctlIn, fuseIoctlOut } from '../../../../abi/structs.ts';
import { EINVAL, ENOTTY } from '../../../../sys/errno.ts';
import { andThen, type Inodes, type Node, onNode } from '../operation.ts';

/** Restricted ioctls: the kernel has copied in what the command's _IOC_SIZE says, and copies out the same. */
export const ioctl = onNode(fuseIoctlIn, (node: Node, call, input, inodes: Inodes) => {
  const { fh, cmd, in_size: inSize, out_size: outSize } = input;
  const ops = inodes.opsOf(node, fh);
  if (ops === undefined) return -ENOTTY;
  if (inSize > call.bodyLength - fuseIoctlIn.size || outSize > call.room - fuseIoctlOut.size) return -EINVAL;
  const file = inodes.file(node, fh);
  call.caller.file = file;
  const from = call.reader(fuseIoctlIn.size, inSize);
  const to = call.writer(fuseIoctlOut.size, outSize);
  return andThen(ops.procIoctl(file, cmd, from, to, call.caller), (result) => {
    call.output(fuseIoctlOut).result = result;
    return fuseIoctlOut.size + to.transferred;
  });
});
