import type { Struct } from '../../../../abi/c-struct.ts';
import { fuseRename2In, fuseRenameIn } from '../../../../abi/structs.ts';
import { refusal } from '../../../refusal.ts';
import { namesIn } from '../names.ts';
import { type Operation, operation } from '../operation.ts';
import type { TreeServer } from '../tree-server.ts';

function refuse(errno: number): Operation<TreeServer> {
  return { size: 0, serve: () => -errno };
}

export const create = refuse(refusal.create);
export const remove = refuse(refusal.remove);
export const rename = renameOf(fuseRenameIn);
export const rename2 = renameOf(fuseRename2In);

function renameOf<F extends { newdir: 'u64' }>(struct: Struct<F>): Operation<TreeServer> {
  return operation(struct, (server, call, input) => {
    const [, name] = namesIn(call, struct.size);
    const there = name !== undefined && server.node(input.newdir)?.child(name) !== undefined;
    return -refusal.rename(there);
  });
}
