import { Opcode } from '../../../abi/fuse.ts';
import { errnoOf, type Raw } from '../../../proc-fs/proc-ops.ts';
import { EINVAL, EIO, ENOSYS } from '../../../sys/errno.ts';
import type { FuseDevice } from '../channel/device.ts';
import type { Call } from './call.ts';
import { type FileServer, NO_REPLY, type Operation } from './operation.ts';
import { copyFileRange, fallocate } from './operations/allocate.ts';
import { getattr, setattr } from './operations/attr.ts';
import { fsync } from './operations/fsync.ts';
import { interrupt } from './operations/interrupt.ts';
import { ioctl } from './operations/ioctl.ts';
import { listxattr } from './operations/listxattr.ts';
import { batchForget, forget, lookup } from './operations/lookup.ts';
import { lseek } from './operations/lseek.ts';
import { open, release } from './operations/open.ts';
import { poll } from './operations/poll.ts';
import { read } from './operations/read.ts';
import { fsyncdir, opendir, readdir, releasedir } from './operations/readdir.ts';
import { create, remove, rename, rename2 } from './operations/refuse.ts';
import { statfs } from './operations/statfs.ts';
import { write } from './operations/write.ts';
import type { TreeServer } from './tree-server.ts';

type Table<S> = readonly (Operation<S> | undefined)[];

function table<S>(operations: Partial<Record<number, Operation<S>>>): Table<S> {
  return Object.assign([], operations);
}

/** What may be asked of a file, by opcode. */
export const fileOperations: Table<FileServer> = table({
  [Opcode.GETATTR]: getattr,
  [Opcode.SETATTR]: setattr,
  [Opcode.OPEN]: open,
  [Opcode.RELEASE]: release,
  [Opcode.READ]: read,
  [Opcode.WRITE]: write,
  [Opcode.LSEEK]: lseek,
  [Opcode.FALLOCATE]: fallocate,
  [Opcode.COPY_FILE_RANGE]: copyFileRange,
  [Opcode.FSYNC]: fsync,
  [Opcode.IOCTL]: ioctl,
  [Opcode.POLL]: poll,
});

/** What may be asked of the whole tree, files included. What is missing is ENOSYS, and the kernel asks it once. */
export const treeOperations: Table<TreeServer> = table<TreeServer>({
  ...fileOperations,
  [Opcode.LOOKUP]: lookup,
  [Opcode.FORGET]: forget,
  [Opcode.BATCH_FORGET]: batchForget,
  [Opcode.OPENDIR]: opendir,
  [Opcode.READDIR]: readdir,
  [Opcode.RELEASEDIR]: releasedir,
  [Opcode.FSYNCDIR]: fsyncdir,
  [Opcode.STATFS]: statfs,
  [Opcode.LISTXATTR]: listxattr,
  [Opcode.INTERRUPT]: interrupt,
  [Opcode.CREATE]: create,
  [Opcode.MKNOD]: create,
  [Opcode.MKDIR]: create,
  [Opcode.SYMLINK]: create,
  [Opcode.LINK]: create,
  [Opcode.UNLINK]: remove,
  [Opcode.RMDIR]: remove,
  [Opcode.RENAME]: rename,
  [Opcode.RENAME2]: rename2,
});

/**
 * Serves the request of `length` bytes in `call` with an operation of the server's. Never throws: a request that is
 * cut short or lies about its length is EINVAL, or ignored where there is no reply, and a mistake, ours or of a callback
 * such as `usage`, is EIO and a stack trace.
 */
export function serve<S>(server: S, operation: Operation<S> | undefined, call: Call, length: number): Raw {
  if (operation === undefined) return -ENOSYS;
  if (!call.isWhole(length, operation.size)) return operation.silent ? NO_REPLY : -EINVAL;
  try {
    return operation.serve(server, call);
  } catch (error) {
    return errnoOf(error);
  }
}

/** Answers a request. Never throws: a reply that the kernel doesn't take is a mistake of ours, and becomes EIO. */
export function reply(device: FuseDevice, call: Call, answer: number): void {
  if (answer === NO_REPLY) return;
  try {
    device.write(call.reply, call.finish(answer));
  } catch (error) {
    console.error(error);
    if (answer !== -EIO) reply(device, call, -EIO);
  }
}
