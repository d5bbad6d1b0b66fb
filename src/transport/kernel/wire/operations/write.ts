import { FUSE_WRITE_KILL_SUIDGID } from '../../../../abi/fuse.ts';
import { fuseWriteIn, fuseWriteOut } from '../../../../abi/structs.ts';
import { EINVAL, ENOENT } from '../../../../sys/errno.ts';
import { type Call, REQUEST_HEADER } from '../call.ts';
import { type FileServer, operation } from '../operation.ts';

/** Where the data of a WRITE starts in its request, in bytes. */
export const WRITE_DATA = REQUEST_HEADER + fuseWriteIn.size;

/** The bytes follow the struct; the handler takes them from the request in place. */
export const write = operation(fuseWriteIn, (server: FileServer, call, input) => {
  const ops = server.node(call.header.nodeid)?.ops;
  if (ops === undefined) return -ENOENT;
  const { size } = input;
  if (size !== call.header.len - WRITE_DATA) return -EINVAL;
  if (input.write_flags & FUSE_WRITE_KILL_SUIDGID) ops.procKillPriv();
  const from = call.reader.place(call.request, WRITE_DATA, size);
  const written = ops.procWrite(server.file(input.fh, input.flags), from, input.offset);
  return typeof written === 'number' ? reply(call, written) : written.then((count) => reply(call, count));
});

function reply(call: Call, written: number): number {
  if (written < 0) return written;
  call.output(fuseWriteOut).size = written;
  return fuseWriteOut.size;
}
