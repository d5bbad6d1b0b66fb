import { FopenFlag } from '../../../../abi/fuse.ts';
import { fuseOpenIn, fuseOpenOut, fuseReleaseIn } from '../../../../abi/structs.ts';
import type { ProcFile } from '../../../../proc-fs/handler.ts';
import { ProcFlag, type ProcOps } from '../../../../proc-fs/proc-ops.ts';
import { ENOENT } from '../../../../sys/errno.ts';
import type { Call } from '../call.ts';
import { andThen, type FileServer, operation } from '../operation.ts';

/** O_TRUNC never arrives: without FUSE_ATOMIC_O_TRUNC the kernel makes a SETATTR of it (may_open, handle_truncate). */
export const open = operation(fuseOpenIn, (server: FileServer, call, input) => {
  const node = server.node(call.header.nodeid);
  if (node?.ops === undefined) return -ENOENT;
  const { ops } = node;
  const file = newFile(call, input.flags);
  return andThen(ops.procOpen(file), () => {
    const out = call.output(fuseOpenOut);
    out.fh = server.keepFile(file, ops);
    const backing = server.backingId(node);
    out.open_flags = backing === undefined ? openFlags(ops) : FopenFlag.PASSTHROUGH;
    out.backing_id = backing ?? 0;
    return fuseOpenOut.size;
  });
});

/** An open file as its handler first sees it. */
export function newFile(call: Call, flags: number): ProcFile {
  return { flags, uid: call.header.uid, pos: 0, privateData: undefined };
}

/** Unless the handler says otherwise, every read and write reaches it, as in /proc: FOPEN_DIRECT_IO. */
function openFlags(ops: ProcOps): number {
  if (ops.flags & ProcFlag.CACHED) return FopenFlag.KEEP_CACHE;
  const parallel = ops.flags & ProcFlag.PARALLEL_WRITES ? FopenFlag.PARALLEL_DIRECT_WRITES : 0;
  const nonseekable = ops.handler.lseek === undefined ? FopenFlag.NONSEEKABLE : 0;
  return FopenFlag.DIRECT_IO | parallel | nonseekable;
}

export const release = operation(fuseReleaseIn, (server: FileServer, call, input) => {
  const file = server.file(input.fh, input.flags);
  server.dropFile(input.fh);
  return server.node(call.header.nodeid)?.ops?.procRelease(file) ?? -ENOENT;
});
