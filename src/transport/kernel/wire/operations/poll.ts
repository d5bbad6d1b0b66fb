import { FUSE_POLL_SCHEDULE_NOTIFY } from '../../../../abi/fuse.ts';
import { fusePollIn, fusePollOut } from '../../../../abi/structs.ts';
import type { ProcDirEntry } from '../../../../proc-fs/entries/entry.ts';
import { andThen, onFile } from '../operation.ts';
import type { TreeInodes } from '../tree-inodes.ts';

const nobodyWaits = (): void => {};

/**
 * Always on the thread that has the tree, also for a handler that is shared: who waits is woken later, and a worker has no event
 * loop on which it could be told of that.
 */
export const poll = onFile(
  fusePollIn,
  (ops, file, call, { kh, flags }, inodes: TreeInodes, _node: ProcDirEntry) => {
    const isWaitedFor = file !== undefined && (flags & FUSE_POLL_SCHEDULE_NOTIFY) !== 0;
    const wake = isWaitedFor ? inodes.waker(file, kh) : nobodyWaits;
    return andThen(ops.procPoll(file, wake, call.caller), (events) => {
      call.output(fusePollOut).revents = events;
      return fusePollOut.size;
    });
  },
);
