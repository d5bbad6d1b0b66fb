import { fuseIoctlIn, fuseIoctlOut } from '../../../../abi/structs.ts';
import { EINVAL, ENOTTY } from '../../../../sys/errno.ts';
import { REPLY_HEADER, REQUEST_HEADER } from '../call.ts';
import { andThen, type FileServer, operation } from '../operation.ts';

const INPUT = REQUEST_HEADER + fuseIoctlIn.size;
const OUTPUT = REPLY_HEADER + fuseIoctlOut.size;

/** Restricted ioctls: the kernel has copied in what the command's _IOC_SIZE says, and copies out the same. */
export const ioctl = operation(fuseIoctlIn, (server: FileServer, call, input) => {
  const ops = server.node(call.header.nodeid)?.ops;
  if (ops === undefined) return -ENOTTY;
  const { in_size: inSize, out_size: outSize } = input;
  if (inSize > call.header.len - INPUT || outSize > call.reply.length - OUTPUT) return -EINVAL;
  const from = call.reader.place(call.request, INPUT, inSize);
  const to = call.writer.place(call.reply, OUTPUT, outSize);
  const answer = ops.procIoctl(server.file(input.fh, 0), input.cmd, from, to);
  return andThen(answer, (result) => {
    call.output(fuseIoctlOut).result = result;
    return fuseIoctlOut.size + to.transferred;
  });
});
