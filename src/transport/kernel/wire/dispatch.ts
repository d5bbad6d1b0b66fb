import { Opcode } from '../../../abi/fuse.ts';
import type { ProcDirEntry } from '../../../proc-fs/entries/entry.ts';
import { errnoOf, type Raw } from '../../../proc-fs/proc-ops.ts';
import { EINVAL, ENOENT, ENOSYS } from '../../../sys/errno.ts';
import type { Call } from './call.ts';
import { type Inodes, NO_REPLY, type Node, type Operation } from './operation.ts';
import { copyFileRange, fallocate } from './operations/allocate.ts';
import { getattr, setattr } from './operations/attr.ts';
import { fsync } from './operations/fsync.ts';
import { interrupt } from './operations/interrupt.ts';
import { ioctl } from './operations/ioctl.ts';
import { listxattr } from './operations/listxattr.ts';
import { flush, getlk, setlk, setlkw } from './operations/lock.ts';
import { batchForget, forget, lookup } from './operations/lookup.ts';
import { lseek } from './operations/lseek.ts';
import { open, release } from './operations/open.ts';
import { poll } from './operations/poll.ts';
import { read } from './operations/read.ts';
import { fsyncdir, opendir, readdir, releasedir } from './operations/readdir.ts';
import { readlink } from './operations/readlink.ts';
import { create, remove, rename, rename2 } from './operations/refuse.ts';
import { statfs } from './operations/statfs.ts';
import { write } from './operations/write.ts';
import type { TreeInodes } from './tree-inodes.ts';

export type Table<N extends Node, I> = readonly (Operation<N, I> | undefined)[];

function table<N extends Node, I>(operations: Partial<Record<number, Operation<N, I>>>): Table<N, I> {
  return Object.assign([], operations);
}

const withoutAttributes = {
  [Opcode.OPEN]: open,
  [Opcode.RELEASE]: release,
  [Opcode.READ]: read,
  [Opcode.WRITE]: write,
  [Opcode.LSEEK]: lseek,
  [Opcode.FALLOCATE]: fallocate,
  [Opcode.COPY_FILE_RANGE]: copyFileRange,
  [Opcode.FSYNC]: fsync,
  [Opcode.IOCTL]: ioctl,
};

/** What may be asked of a file, by opcode. */
export const fileOperations: Table<Node, Inodes> = table({
  ...withoutAttributes,
  [Opcode.GETATTR]: getattr,
  [Opcode.SETATTR]: setattr,
});

/** The same of a file whose attributes its directory entry keeps. */
export const bareFileOperations: Table<Node, Inodes> = table(withoutAttributes);

/** What may be asked of the whole tree, files included. What is missing is ENOSYS, and the kernel asks it once. */
export const treeOperations: Table<ProcDirEntry, TreeInodes> = table<ProcDirEntry, TreeInodes>({
  ...fileOperations,
  [Opcode.POLL]: poll,
  [Opcode.GETLK]: getlk,
  [Opcode.SETLK]: setlk,
  [Opcode.SETLKW]: setlkw,
  [Opcode.FLUSH]: flush,
  [Opcode.LOOKUP]: lookup,
  [Opcode.READLINK]: readlink,
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

/** Serves the request in `call` by the operation that its opcode names in a table, on the inode that its header names. */
export function dispatch<N extends Node, I extends Inodes<N>>(
  operations: Table<N, I>,
  inodes: I,
  call: Call,
): Raw {
  const operation = operations[call.header.opcode];
  if (operation === undefined) return -ENOSYS;
  return serve(operation, inodes.node(call.header.nodeid), inodes, call);
}

/**
 * The same for who has found both. Never throws: a request that is cut short or lies about its length is EINVAL, an inode that isn't
 * known ENOENT, either ignored where there is no reply; and a mistake, ours or of a callback such as `usage`, is EIO and a stack
 * trace.
 */
export function serve<N extends Node, I extends Inodes<N>>(
  operation: Operation<N, I>,
  node: N | undefined,
  inodes: I,
  call: Call,
): Raw {
  if (!call.isWhole(operation.size)) return operation.silent ? NO_REPLY : -EINVAL;
  try {
    if (operation.onNode === undefined) return operation.onMount?.(call, inodes) ?? -ENOSYS;
    return node === undefined ? -ENOENT : operation.onNode(node, call, inodes);
  } catch (error) {
    return errnoOf(error);
  }
}
