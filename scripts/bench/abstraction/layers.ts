import type { RamFile } from '../../../src/ram-file/ram-file.ts';
import { EIO } from '../../../src/sys/errno.ts';
import { Counters, count } from '../../../src/transport/counters.ts';
import type { Call } from '../../../src/transport/kernel/wire/call.ts';
import { bytesOf, resultOf } from '../../../src/transport/kernel/wire/counted.ts';
import { serve } from '../../../src/transport/kernel/wire/dispatch.ts';
import { SharedInodes, WorkerNode } from '../../../src/transport/kernel/worker-thread/shared-inodes.ts';
import { INO, type Server } from './request.ts';

/** All layers, as a worker goes through them: see src/transport/kernel/worker-thread/serving.ts. */
export function layers(call: Call, file: RamFile): Server {
  const inodes = new SharedInodes(() => {});
  const counters = new Counters(Counters.allocate(), 0);
  inodes.place(new WorkerNode({ ino: INO, path: '/file' }, file.ops()));
  return (length) => {
    call.arrived(length);
    const node = inodes.node(call.header.nodeid);
    const operation = node?.operations[call.header.opcode];
    if (node === undefined || operation === undefined) return 0;
    const cell = node.cell(call.header.opcode, counters);
    const answer = serve(operation, node, inodes, call);
    const result = typeof answer === 'number' ? answer : -EIO;
    count(cell, resultOf(result), bytesOf(call, result));
    return call.finish(result);
  };
}
