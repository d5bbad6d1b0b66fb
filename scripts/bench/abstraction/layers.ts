import type { RamFile } from '../../../src/ram-file/ram-file.ts';
import { EIO } from '../../../src/sys/errno.ts';
import type { Call } from '../../../src/transport/kernel/wire/call.ts';
import { serve } from '../../../src/transport/kernel/wire/dispatch.ts';
import { SharedInodes, WorkerNode } from '../../../src/transport/kernel/worker-thread/shared-inodes.ts';
import { INO, type Server } from './request.ts';

/** All layers, as a worker goes through them: see src/transport/kernel/worker-thread/serving.ts. */
export function layers(call: Call, file: RamFile): Server {
  const inodes = new SharedInodes(() => {});
  inodes.place(new WorkerNode(INO, file.ops()));
  return (length) => {
    call.arrived(length);
    const node = inodes.node(call.header.nodeid);
    const operation = node?.operations[call.header.opcode];
    if (node === undefined || operation === undefined) return 0;
    const answer = serve(operation, node, inodes, call);
    return call.finish(typeof answer === 'number' ? answer : -EIO);
  };
}
