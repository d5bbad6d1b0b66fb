import type { View } from '../../../../abi/c-struct.ts';
import { FattrFlag, FUSE_GETATTR_FH } from '../../../../abi/fuse.ts';
import { type fuseAttr, fuseAttrOut, fuseGetattrIn, fuseSetattrIn } from '../../../../abi/structs.ts';
import type { Attr, AttrChange, MaybePromise } from '../../../../proc-fs/handler.ts';
import type { Raw } from '../../../../proc-fs/proc-ops.ts';
import { Whence } from '../../../../proc-fs/whence.ts';
import { EIO } from '../../../../sys/errno.ts';
import { S_IFMT } from '../../../../sys/stat.ts';
import { UTIME_NOW } from '../../../../sys/time.ts';
import type { Call } from '../call.ts';
import { andThen, type Inodes, type Node, onNode } from '../operation.ts';

type AttrView = ReturnType<typeof fuseAttr.at>;

/**
 * How long the kernel may believe attributes that only it can change, in seconds. It forgets them itself at each
 * read and write (fuse_invalidate_atime, fuse_write_update_attr), and a mount tells it of a teardown.
 */
const LONG = 3600;

/** How long the kernel may believe a node's attributes, in seconds: not at all where the program may change them. */
export function attrValid({ ops, isLookedUp }: Node): number {
  if (isLookedUp) return 0;
  if (!ops?.hasAttr) return LONG;
  // A store in a mapping of a backing file changes times and blocks, and the kernel forgets nothing for it.
  const { shared, backing } = ops.placement;
  return shared === undefined || backing !== undefined ? 0 : LONG;
}

export function encodeAttr(out: AttrView, node: Node, attr: Attr): void {
  out.ino = node.ino;
  out.size = attr.size;
  out.blocks = attr.blocks;
  out.atime = attr.atime.sec;
  out.mtime = attr.mtime.sec;
  out.ctime = attr.ctime.sec;
  out.atimensec = attr.atime.nsec;
  out.mtimensec = attr.mtime.nsec;
  out.ctimensec = attr.ctime.nsec;
  out.mode = S_IFMT[node.kind] | attr.mode;
  out.nlink = node.nlink;
  out.uid = attr.uid;
  out.gid = attr.gid;
  out.rdev = 0;
  out.blksize = attr.blksize;
  out.flags = 0;
}

/** `encode` with attributes, when they are there. */
export function withAttr(attr: MaybePromise<Attr | number>, encode: (attr: Attr) => number): Raw {
  if (typeof attr === 'number') return attr;
  if (attr instanceof Promise) return attr.then((late) => (typeof late === 'number' ? late : encode(late)));
  return encode(attr);
}

/** Replies with a node's attributes: fuse_attr_out. `end` is where it ends, if not where they say. */
function replyAttr(call: Call, node: Node, end?: number): Raw {
  return withAttr(node.getattr(call.caller), (attr) => {
    const out = call.output(fuseAttrOut);
    out.attr_valid = attrValid(node);
    encodeAttr(out, node, attr);
    if (end !== undefined) out.size = end;
    return fuseAttrOut.size;
  });
}

/** stat(2), and lseek(2) with SEEK_END, which has no request of its own: of a file without an end the handler knows what that is. */
export const getattr = onNode(fuseGetattrIn, (node: Node, call, { getattr_flags, fh }, inodes: Inodes) => {
  const { ops } = node;
  if (!ops?.isEndless) return replyAttr(call, node);
  if (!(getattr_flags & FUSE_GETATTR_FH)) {
    inodes.farEnds?.asked(node.ino);
    return replyAttr(call, node);
  }
  const file = inodes.file(node, fh);
  return andThen(ops.procLseek(file, 0, Whence.SeekEnd, call.caller), (end) => {
    inodes.farEnds?.forget(node.ino);
    return replyAttr(call, node, end);
  });
});

/**
 * chmod, chown, truncate and utimensat, in one request. The size goes first: a time that comes with it must win. What changes
 * nothing moves ctime all the same, as chown(2) with -1 twice does.
 */
export const setattr = onNode(fuseSetattrIn, (node: Node, call, input, inodes: Inodes) => {
  const { valid } = input;
  inodes.farEnds?.forget(node.ino);
  const change = changeIn(input);
  const resized = valid & FattrFlag.SIZE ? (node.ops?.procTruncate(input.size, call.caller) ?? -EIO) : 0;
  const onlySize = valid & FattrFlag.SIZE && Object.keys(change).length === 0;
  return andThen(resized, () =>
    andThen(onlySize ? 0 : node.setattr(change, call.caller), () => replyAttr(call, node)),
  );
});

function changeIn(input: View<{ [K in keyof ReturnType<typeof fuseSetattrIn.at>]: 'u32' }>): AttrChange {
  const { valid } = input;
  const change: AttrChange = {};
  if (valid & FattrFlag.MODE) change.mode = input.mode & 0o7777;
  if (valid & FattrFlag.UID) change.uid = input.uid;
  if (valid & FattrFlag.GID) change.gid = input.gid;
  if (valid & FattrFlag.ATIME) {
    change.atime = { sec: input.atime, nsec: valid & FattrFlag.ATIME_NOW ? UTIME_NOW : input.atimensec };
  }
  if (valid & FattrFlag.MTIME) {
    change.mtime = { sec: input.mtime, nsec: valid & FattrFlag.MTIME_NOW ? UTIME_NOW : input.mtimensec };
  }
  return change;
}
