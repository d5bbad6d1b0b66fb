import { FopenFlag } from '../../../../abi/fuse.ts';
import { fuseOpenIn, fuseOpenOut, fuseReleaseIn } from '../../../../abi/structs.ts';
import type { ProcFile } from '../../../../proc-fs/handler.ts';
import type { ProcOps } from '../../../../proc-fs/proc-ops.ts';
import { ENOENT } from '../../../../sys/errno.ts';
import type { Call } from '../call.ts';
import { isEndless } from '../far-ends.ts';
import { andThen, type Inodes, type Node, onFile, onNode } from '../operation.ts';

/** O_TRUNC never arrives: without FUSE_ATOMIC_O_TRUNC the kernel makes a SETATTR of it (may_open, handle_truncate). */
export const open = onNode(fuseOpenIn, (node: Node, call, { flags }, inodes: Inodes) => {
  const { ops } = node;
  if (ops === undefined || node.kind !== 'file') return -ENOENT;
  const file = newFile(call, flags);
  return andThen(ops.procOpen(file, call.caller), () => {
    if (isEndless(node, call.caller)) inodes.farEnds?.opened(node.ino);
    const out = call.output(fuseOpenOut);
    out.fh = inodes.keepFile(file, node, ops);
    const backing = inodes.backingId(node);
    out.open_flags = backing === undefined ? openFlags(ops) : FopenFlag.PASSTHROUGH;
    out.backing_id = backing ?? 0;
    return fuseOpenOut.size;
  });
});

/** An open file as its handler first sees it. */
export function newFile({ header, caller }: Call, flags: number): ProcFile {
  caller.file = { flags, uid: header.uid, pos: 0, privateData: undefined };
  return caller.file;
}

/**
 * Unless the file says otherwise, every read and write reaches its handler, as in /proc: FOPEN_DIRECT_IO.
 *
 * Where one thread serves, ProcOps puts writes in line if they take their time: the kernel, whose line is a lock that is handed on by
 * waking the next up, would have four writers wait five times as long.
 */
function openFlags({ handler, placement }: ProcOps): number {
  if (placement.cached) return FopenFlag.KEEP_CACHE;
  const isParallel = placement.parallelWrites || placement.shared === undefined;
  const parallel = isParallel ? FopenFlag.PARALLEL_DIRECT_WRITES : 0;
  const nonseekable = handler.lseek === undefined ? FopenFlag.NONSEEKABLE : 0;
  return FopenFlag.DIRECT_IO | parallel | nonseekable;
}

export const release = onFile(fuseReleaseIn, (ops, file, call, { fh }, inodes: Inodes, node: Node) => {
  inodes.dropFile(node, fh);
  return ops.procRelease(file, call.caller);
});
