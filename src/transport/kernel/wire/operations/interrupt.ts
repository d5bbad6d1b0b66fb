import { fuseInterruptIn } from '../../../../abi/structs.ts';
import { EAGAIN } from '../../../../sys/errno.ts';
import { NO_REPLY, onMount } from '../operation.ts';
import type { TreeInodes } from '../tree-inodes.ts';

/**
 * A client that waits was signalled. A request that a handler has not answered yet is answered with EINTR in its place,
 * so that the client can go; the handler's own answer is dropped, and its caller's signal is aborted.
 *
 * A request that isn't waiting here may be on its way or be answered by a worker right now: EAGAIN makes the kernel
 * ask again while it still waits (fuse_dev_do_write), and costs nothing when it doesn't. Not of one that came by io_uring, which it doesn't
 * find: that one is interrupted when it comes here.
 */
export const interrupt = onMount(fuseInterruptIn, (_call, { unique }, inodes: TreeInodes) =>
  inodes.interrupt(unique) ? NO_REPLY : -EAGAIN,
);
