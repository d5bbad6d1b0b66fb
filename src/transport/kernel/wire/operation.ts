import type { Fields, Struct, View } from '../../../abi/c-struct.ts';
import type { Caller } from '../../../proc-fs/caller.ts';
import type { NodeKind } from '../../../proc-fs/entries/node.ts';
import type { Attr, AttrChange, MaybePromise, ProcFile } from '../../../proc-fs/handler.ts';
import type { ProcOps, Raw } from '../../../proc-fs/proc-ops.ts';
import { ENOENT, ENOTDIR } from '../../../sys/errno.ts';
import type { CachedPages } from './cached-pages.ts';
import type { Call } from './call.ts';
import type { FarEnds } from './far-ends.ts';

/** What an operation returns when the protocol wants no reply. Below every negative error number (MAX_ERRNO is 4095). */
export const NO_REPLY = -4096;

/** What an operation needs of an inode: a ProcDirEntry has it, and so has a worker's idea of one. */
export interface Node {
  readonly ino: number;
  readonly kind: NodeKind;
  readonly nlink: number;
  readonly ops: ProcOps | undefined;
  /** Whether nothing of it may be believed for longer than a call. */
  readonly isLookedUp: boolean;
  /** What stat(2) tells, or a negative error number. */
  getattr(caller: Caller): MaybePromise<Attr | number>;
  /** 0, or a negative error number. */
  setattr(change: AttrChange, caller: Caller): Raw;
}

/** The inodes and open files that a thread knows: a worker those of the files that it shares, the thread that has the tree all. */
export interface Inodes<N extends Node = Node> {
  /** The inode that the kernel means by `nodeid`. */
  node(nodeid: number): N | undefined;
  /** Keeps an open file of a node, which was opened by `ops`. Returns the `fh` that its calls will carry. */
  keepFile(file: ProcFile, node: N, ops: ProcOps | undefined): number;
  /** An open file of a node. */
  file(node: N, fh: number): ProcFile | undefined;
  /** The ProcOps that opened it: those of its node, unless that was described anew meanwhile. */
  opsOf(node: N, fh: number): ProcOps | undefined;
  /** Forgets an open file whose last descriptor is closed. */
  dropFile(node: N, fh: number): void;
  /** What the page cache was given of a node whose reads and writes are direct, and which may be mapped; else undefined. */
  cachedPages(node: N): CachedPages | undefined;
  /**
   * Answers a WRITE, of which `written` bytes were, once the kernel has dropped the cached pages of that range. By another thread
   * than one that serves: the kernel waits until they are written back.
   */
  answerWithoutPages(node: N, call: Call, offset: number, written: number): Raw;
  /** Where the kernel thinks that files end which have no end; undefined in a thread that serves none of them. */
  readonly farEnds: FarEnds | undefined;
  /** The number under which the kernel was lent the node's backing file, or undefined. */
  backingId(node: N): number | undefined;
}

/** How one kind of request is served. `I` is what must be known for it, `N` its inodes. */
export interface Operation<N extends Node, I> {
  /** The least bytes that a request of this kind has behind its header. */
  readonly size: number;
  /** The protocol has no reply to it, not even an error. */
  readonly silent?: true;
  /** On the inode that the header names, which is known. */
  readonly onNode?: (node: N, call: Call, inodes: I) => Raw;
  /** On no inode in particular: what the header names is nothing, or for the operation to look at. */
  readonly onMount?: (call: Call, inodes: I) => Raw;
}

/**
 * An operation on no inode in particular, whose request begins with `struct`. Like those below, it returns the length of the
 * reply's body, a negative error number, or NO_REPLY; now or later.
 */
export function onMount<I, F extends Fields>(
  struct: Struct<F>,
  serve: (call: Call, input: View<F>, inodes: I) => Raw,
): Operation<Node, I> {
  return { size: struct.size, onMount: (call, inodes) => serve(call, call.input(struct), inodes) };
}

/** An operation on an inode of any kind. */
export function onNode<N extends Node, I extends Inodes<N>, F extends Fields>(
  struct: Struct<F>,
  serve: (node: N, call: Call, input: View<F>, inodes: I) => Raw,
): Operation<N, I> {
  return {
    size: struct.size,
    onNode: (node, call, inodes) => serve(node, call, call.input(struct), inodes),
  };
}

/** An operation on a directory. */
export function onDirectory<N extends Node, I extends Inodes<N>, F extends Fields>(
  struct: Struct<F>,
  serve: (directory: N, call: Call, input: View<F>, inodes: I) => Raw,
): Operation<N, I> {
  return onNode<N, I, F>(struct, (node, call, input, inodes) =>
    node.kind === 'directory' ? serve(node, call, input, inodes) : -ENOTDIR,
  );
}

/** An operation on an open file, with the ProcOps of its node. `file` is undefined when there is no such one: for ProcOps to refuse. */
export function onFile<N extends Node, I extends Inodes<N>, F extends Fields & { fh: 'u64' }>(
  struct: Struct<F>,
  serve: (ops: ProcOps, file: ProcFile | undefined, call: Call, input: View<F>, inodes: I, node: N) => Raw,
): Operation<N, I> {
  return {
    size: struct.size,
    onNode(node, call, inodes) {
      const input = call.input(struct);
      const ops = inodes.opsOf(node, input.fh);
      if (ops === undefined) return -ENOENT;
      const file = inodes.file(node, input.fh);
      call.caller.file = file;
      return serve(ops, file, call, input, inodes, node);
    },
  };
}

/** `next` of a raw answer that is no error; an error goes through. Not `then`: a module with that name is a promise to `import`. */
export function andThen(raw: Raw, next: (result: number) => Raw): Raw {
  if (typeof raw === 'number') return raw < 0 ? raw : next(raw);
  return raw.then((result) => (result < 0 ? result : next(result)));
}
