import { fuseStatfsOut } from '../../../../abi/structs.ts';
import { NAME_MAX } from '../../../../proc-fs/proc-dir-entry.ts';
import type { Operation } from '../operation.ts';
import type { TreeServer } from '../tree-server.ts';

export const statfs: Operation<TreeServer> = {
  size: 0,
  serve(server, call) {
    const { used, max, size } = server.usage();
    const out = call.output(fuseStatfsOut);
    out.bsize = out.frsize = size;
    out.blocks = max;
    out.bfree = out.bavail = Math.max(0, max - used);
    out.namelen = NAME_MAX;
    return fuseStatfsOut.size;
  },
};
