import type { Struct } from '../../../../abi/c-struct.ts';
import { fuseRename2In, fuseRenameIn } from '../../../../abi/structs.ts';
import { whenThere } from '../../../../proc-fs/later.ts';
import { refusal } from '../../../refusal.ts';
import { namesIn } from '../names.ts';
import { nothing } from '../nothing.ts';
import { type Node, type Operation, onMount } from '../operation.ts';
import type { TreeInodes } from '../tree-inodes.ts';

function refuse(errno: number): Operation<Node, TreeInodes> {
  return onMount(nothing, () => -errno);
}

export const create = refuse(refusal.create);
export const remove = refuse(refusal.remove);
export const rename = renameOf(fuseRenameIn);
export const rename2 = renameOf(fuseRename2In);

function renameOf<F extends { newdir: 'u64' }>(struct: Struct<F>): Operation<Node, TreeInodes> {
  return onMount(struct, (call, input, inodes: TreeInodes) => {
    const [, name] = namesIn(call, struct.size);
    const there = name === undefined ? undefined : inodes.node(input.newdir)?.lookup(name, call.caller);
    return whenThere(there, (entry) => -refusal.rename(entry !== undefined));
  });
}
