import { FUSE_WRITE_KILL_SUIDGID } from '../../../../abi/fuse.ts';
import { fuseWriteIn, fuseWriteOut } from '../../../../abi/structs.ts';
import { EINVAL } from '../../../../sys/errno.ts';
import type { Call } from '../call.ts';
import { type Inodes, type Node, onFile } from '../operation.ts';

/** The bytes follow the struct; the handler takes them from the request in place. */
export const write = onFile(fuseWriteIn, (ops, file, call, input, _inodes: Inodes, _node: Node) => {
  const { size, flags } = input;
  // As they are now: fcntl(2) may have changed them.
  if (file !== undefined) file.flags = flags;
  if (size !== call.bodyLength - fuseWriteIn.size) return -EINVAL;
  if (input.write_flags & FUSE_WRITE_KILL_SUIDGID) ops.procKillPriv();
  const from = call.reader(fuseWriteIn.size, size);
  const written = ops.procWrite(file, from, input.offset, call.caller);
  return typeof written === 'number' ? reply(call, written) : written.then((count) => reply(call, count));
});

function reply(call: Call, written: number): number {
  if (written < 0) return written;
  call.output(fuseWriteOut).size = written;
  return fuseWriteOut.size;
}
