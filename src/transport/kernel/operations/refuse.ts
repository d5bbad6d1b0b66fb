import { ENOENT, EPERM } from '../../../abi/errno.ts';
import type { Struct } from '../../../abi/struct.ts';
import { fuseRename2In, fuseRenameIn } from '../../../abi/structs.ts';
import { namesIn } from '../names.ts';
import { type Operation, operation } from '../operation.ts';
import type { TreeServer } from '../tree-server.ts';

/** What clients can't do in a tree that only its program changes; the errors are those that /proc gives. */
function refuse(errno: number): Operation<TreeServer> {
  return { size: 0, serve: () => -errno };
}

/**
 * A new name: open with O_CREAT, mkdir, mknod, symlink, link. In /proc already the lookup of a name that isn't there
 * fails (proc_lookup_de), before anybody asks whether it could be created.
 */
export const create = refuse(ENOENT);

/** unlink and rmdir: a directory without these operations is EPERM (vfs_unlink, vfs_rmdir). */
export const remove = refuse(EPERM);

/** To a new name as `create`, onto one that is there as `remove` (vfs_rename). */
export const rename = renameOf(fuseRenameIn);
export const rename2 = renameOf(fuseRename2In);

function renameOf<F extends { newdir: 'u64' }>(struct: Struct<F>): Operation<TreeServer> {
  return operation(struct, (server, call, input) => {
    const [, name] = namesIn(call, struct.size);
    const there = name !== undefined && server.node(input.newdir)?.child(name) !== undefined;
    return there ? -EPERM : -ENOENT;
  });
}
