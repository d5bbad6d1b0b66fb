import type { Fields, Struct, View } from '../../../abi/c-struct.ts';
import type { Attr, AttrChange, ProcFile } from '../../../proc-fs/handler.ts';
import type { ProcOps, Raw } from '../../../proc-fs/proc-ops.ts';
import type { Call } from './call.ts';

/** What an operation returns when the protocol wants no reply. Below every negative error number (MAX_ERRNO is 4095). */
export const NO_REPLY = -4096;

/** What an operation needs of an inode: a ProcDirEntry has it, and so has a worker's view of one. */
export interface Node {
  readonly ino: number;
  readonly isDirectory: boolean;
  readonly nlink: number;
  readonly ops: ProcOps | undefined;
  /** What stat(2) tells, or a negative error number. */
  getattr(): Attr | number;
  /** 0, or a negative error number. */
  setattr(change: AttrChange): number;
}

/** What operations on files need of the thread that serves them. */
export interface FileServer {
  /** The inode that the kernel means by `nodeid`. */
  node(nodeid: number): Node | undefined;
  /** Keeps an open file, with the ProcOps of one that isn't a directory. Returns the `fh` that its calls will carry. */
  keepFile(file: ProcFile, ops: ProcOps | undefined): number;
  /** The open file of a call. `flags` are its open flags, where the request carries them. */
  file(fh: number, flags: number): ProcFile | undefined;
  /** Forgets an open file whose last descriptor is closed. */
  dropFile(fh: number): void;
  /** The number under which the kernel was lent the node's backing file, or undefined. */
  backingId(node: Node): number | undefined;
  /** A function that wakes whoever polls with the kernel's handle `kh`. */
  waker(kh: number): () => void;
}

/** How one kind of request is served. */
export interface Operation<S> {
  /** The least bytes that a request of this kind has behind its header. */
  readonly size: number;
  /** The protocol has no reply to it, not even an error. */
  readonly silent?: true;
  /** The length of the reply's body, a negative error number, or NO_REPLY; now or later. */
  serve(server: S, call: Call): Raw;
}

/** An operation whose request starts with `struct`. */
export function operation<S, F extends Fields>(
  struct: Struct<F>,
  serve: (server: S, call: Call, input: View<F>) => Raw,
): Operation<S> {
  return { size: struct.size, serve: (server, call) => serve(server, call, call.input(struct)) };
}

/** `next` of a raw answer that is no error; an error goes through. Not `then`: a module with that name is a promise to `import`. */
export function andThen(raw: Raw, next: (result: number) => Raw): Raw {
  if (typeof raw === 'number') return raw < 0 ? raw : next(raw);
  return raw.then((result) => (result < 0 ? result : next(result)));
}
