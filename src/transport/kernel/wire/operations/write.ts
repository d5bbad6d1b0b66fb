import type { View } from '../../../../abi/c-struct.ts';
import { FUSE_WRITE_CACHE, FUSE_WRITE_KILL_SUIDGID } from '../../../../abi/fuse.ts';
import { fuseWriteIn, fuseWriteOut } from '../../../../abi/structs.ts';
import type { ProcFile } from '../../../../proc-fs/handler.ts';
import type { ProcOps, Raw } from '../../../../proc-fs/proc-ops.ts';
import { UserSliceReader } from '../../../../proc-fs/user-slice.ts';
import { EINVAL, ENOSPC } from '../../../../sys/errno.ts';
import type { CachedPages } from '../cached-pages.ts';
import type { Call } from '../call.ts';
import { andThen, type Inodes, type Node, onFile } from '../operation.ts';

/** The bytes follow the struct; the handler takes them from the request in place. */
export const write = onFile(fuseWriteIn, (ops, file, call, input, inodes: Inodes, node: Node) => {
  const { size, flags, write_flags: how } = input;
  // As they are now: fcntl(2) may have changed them.
  if (file !== undefined) file.flags = flags;
  if (size !== call.bodyLength - fuseWriteIn.size) return -EINVAL;
  if (how & FUSE_WRITE_KILL_SUIDGID) ops.procKillPriv();
  const cached = inodes.cachedPages(node);
  if (cached !== undefined && how & FUSE_WRITE_CACHE) {
    return andThen(writeBack(cached, ops, file, call, input), (count) => replyWritten(call, count));
  }
  const { offset } = input;
  if (ops.isEndless) inodes.farEnds?.written(node.ino, offset + size);
  const written = ops.procWrite(file, call.reader(fuseWriteIn.size, size), offset, call.caller);
  if (cached !== undefined) {
    return andThen(written, (count) =>
      cached.isStale(offset, count)
        ? inodes.answerWithoutPages(node, call, offset, count)
        : replyWritten(call, count),
    );
  }
  return typeof written === 'number' && written >= 0
    ? replyWritten(call, written)
    : andThen(written, (count) => replyWritten(call, count));
});

/** Writes what clients changed in the pages that come back from the cache. Returns all of it, or the first error. */
function writeBack(
  cached: CachedPages,
  ops: ProcOps,
  file: ProcFile | undefined,
  call: Call,
  { offset, size }: View<{ offset: 'u64'; size: 'u32' }>,
): Raw {
  const data = call.inputBytes(fuseWriteIn.size);
  const late: Promise<number>[] = [];
  const answer = cached.changes(data, offset, (from, length) => {
    // Each its own: a handler may take its time.
    const run = new UserSliceReader().place(data, from, length);
    // A part of it is an error to a cache, which has nobody to tell.
    const written = andThen(ops.procWrite(file, run, offset + from, call.caller), (count) =>
      count < length ? -ENOSPC : count,
    );
    if (typeof written === 'number') return written;
    late.push(written);
    return 0;
  });
  if (answer < 0) return answer;
  return late.length === 0 ? size : Promise.all(late).then((all) => all.find((one) => one < 0) ?? size);
}

/** The reply to a WRITE of which so many bytes were written. */
export function replyWritten(call: Call, written: number): number {
  call.output(fuseWriteOut).size = written;
  return fuseWriteOut.size;
}
