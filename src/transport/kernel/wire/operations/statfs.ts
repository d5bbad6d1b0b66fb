import { fuseStatfsOut } from '../../../../abi/structs.ts';
import { NAME_MAX } from '../../../../proc-fs/entries/name.ts';
import { whenThere } from '../../../../proc-fs/later.ts';
import { nothing } from '../nothing.ts';
import { onMount } from '../operation.ts';
import type { TreeInodes } from '../tree-inodes.ts';

export const statfs = onMount(nothing, (call, _input, inodes: TreeInodes) =>
  whenThere(inodes.usage(), ({ used, max, size }) => {
    const out = call.output(fuseStatfsOut);
    out.bsize = out.frsize = size;
    out.blocks = max;
    out.bfree = out.bavail = Math.max(0, max - used);
    out.namelen = NAME_MAX;
    return fuseStatfsOut.size;
  }),
);
