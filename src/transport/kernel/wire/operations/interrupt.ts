import { fuseInterruptIn } from '../../../../abi/structs.ts';
import { EAGAIN } from '../../../../sys/errno.ts';
import { NO_REPLY, operation } from '../operation.ts';
import type { TreeServer } from '../tree-server.ts';

/**
 * A client that waits was signalled. A request that a handler has not answered yet is answered with EINTR in its place,
 * so that the client can go; the handler's own answer is dropped.
 *
 * A request that isn't waiting here may be on its way or be answered by a worker right now: EAGAIN makes the kernel
 * ask again while it still waits (fuse_dev_do_write), and costs nothing when it doesn't.
 */
export const interrupt = operation(fuseInterruptIn, (server: TreeServer, _call, input) =>
  server.interrupt(input.unique) ? NO_REPLY : -EAGAIN,
);
