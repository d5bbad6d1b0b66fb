import { FUSE_READ_LOCKOWNER } from '../../../../abi/fuse.ts';
import { fuseReadIn } from '../../../../abi/structs.ts';
import { EINVAL } from '../../../../sys/errno.ts';
import { isEndless } from '../far-ends.ts';
import { andThen, type Inodes, type Node, onFile } from '../operation.ts';

/** The handler fills the reply's body in place. */
export const read = onFile(fuseReadIn, (ops, file, call, input, inodes: Inodes, node: Node) => {
  const { size, flags } = input;
  // As they are now: fcntl(2) may have changed them.
  if (file !== undefined) file.flags = flags;
  if (size > call.room) return -EINVAL;
  const isForCache = (input.read_flags & FUSE_READ_LOCKOWNER) === 0;
  if (isForCache && isEndless(node, call.caller)) return -EINVAL;
  const answer = ops.procRead(file, call.writer(0, size), input.offset, call.caller);
  if (!isForCache) return answer;
  const cached = inodes.cachedPages(node);
  if (cached === undefined) return answer;
  const { offset } = input;
  return andThen(answer, (count) => {
    cached.remember(call, offset, size, count);
    return count;
  });
});
