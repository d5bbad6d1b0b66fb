import type { View } from '../../../../abi/c-struct.ts';
import { FUSE_LK_FLOCK } from '../../../../abi/fuse.ts';
import { fuseFlushIn, fuseLkIn, fuseLkOut } from '../../../../abi/structs.ts';
import type { ProcDirEntry } from '../../../../proc-fs/entries/entry.ts';
import { whenThere } from '../../../../proc-fs/later.ts';
import { type FileLock, LockCommand, LockType } from '../../../../proc-fs/lock.ts';
import { EINVAL, ENOSYS } from '../../../../sys/errno.ts';
import { type Operation, onFile } from '../operation.ts';
import type { TreeInodes } from '../tree-inodes.ts';

/** The kernel asks only where the mount wants locks; a file that has none of its own keeps local ones: see ProcOps. */
function lockOf(command: LockCommand): Operation<ProcDirEntry, TreeInodes> {
  return onFile(fuseLkIn, (ops, file, call, input, inodes: TreeInodes, _node: ProcDirEntry) => {
    const { type, lk_flags: flags } = input;
    if (!inodes.hasLocks) return -ENOSYS;
    if (type > LockType.NONE) return -EINVAL;
    const kind = flags & FUSE_LK_FLOCK ? 'flock' : 'posix';
    return whenThere(ops.procLock(file, kind, command, lockIn(input), call.caller), (found) => {
      if (typeof found === 'number') return found;
      if (command !== LockCommand.GETLK) return 0;
      const out = call.output(fuseLkOut);
      out.start = found.start;
      out.end = found.end;
      out.type = found.type;
      out.pid = found.type === LockType.NONE ? 0 : found.pid;
      return fuseLkOut.size;
    });
  });
}

/** The kernel's OFFSET_MAX is our last byte. */
function lockIn({
  type,
  start,
  end,
  owner,
  pid,
}: View<Record<'type' | 'start' | 'end' | 'owner' | 'pid', 'u64'>>): FileLock {
  return {
    type: type === LockType.READ ? LockType.READ : type === LockType.WRITE ? LockType.WRITE : LockType.NONE,
    start: Math.min(start, Number.MAX_SAFE_INTEGER),
    end: Math.min(end, Number.MAX_SAFE_INTEGER),
    owner,
    pid,
  };
}

export const getlk = lockOf(LockCommand.GETLK);
export const setlk = lockOf(LockCommand.SETLK);
export const setlkw = lockOf(LockCommand.SETLKW);

/** close(2), of each descriptor: the locks of fcntl(2) go with it. Where the kernel keeps them itself, it is to ask once. */
export const flush = onFile(
  fuseFlushIn,
  (ops, file, { caller }, { lock_owner: owner }, inodes: TreeInodes, _node: ProcDirEntry) =>
    inodes.hasLocks ? ops.procFlush(file, owner, caller) : -ENOSYS,
);
