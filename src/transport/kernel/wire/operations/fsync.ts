import { FUSE_FSYNC_FDATASYNC } from '../../../../abi/fuse.ts';
import { fuseFsyncIn } from '../../../../abi/structs.ts';
import { ENOENT } from '../../../../sys/errno.ts';
import { type FileServer, operation } from '../operation.ts';

export const fsync = operation(fuseFsyncIn, (server: FileServer, call, input) => {
  const ops = server.node(call.header.nodeid)?.ops;
  if (ops === undefined) return -ENOENT;
  return ops.procFsync(server.file(input.fh, 0), (input.fsync_flags & FUSE_FSYNC_FDATASYNC) !== 0);
});
