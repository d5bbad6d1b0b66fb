import { fuseReadIn } from '../../../../abi/structs.ts';
import { EINVAL, ENOENT } from '../../../../sys/errno.ts';
import { REPLY_HEADER } from '../call.ts';
import { type FileServer, operation } from '../operation.ts';

/** The handler fills the reply's body in place. */
export const read = operation(fuseReadIn, (server: FileServer, call, input) => {
  const ops = server.node(call.header.nodeid)?.ops;
  if (ops === undefined) return -ENOENT;
  const { size } = input;
  if (size > call.reply.length - REPLY_HEADER) return -EINVAL;
  const to = call.writer.place(call.reply, REPLY_HEADER, size);
  return ops.procRead(server.file(input.fh, input.flags), to, input.offset);
});
