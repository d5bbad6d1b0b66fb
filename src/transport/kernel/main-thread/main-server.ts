import type { Fields, Struct, View } from '../../../abi/c-struct.ts';
import { FUSE_ROOT_ID, Opcode } from '../../../abi/fuse.ts';
import { fuseIoctlIn, fuseOpenOut, fuseReadIn } from '../../../abi/structs.ts';
import type { ProcFile } from '../../../proc-fs/handler.ts';
import type { ProcDirEntry } from '../../../proc-fs/proc-dir-entry.ts';
import type { ProcOps } from '../../../proc-fs/proc-ops.ts';
import { EINTR, EIO } from '../../../sys/errno.ts';
import { NO_USAGE, type Usage } from '../../usage.ts';
import type { FuseDevice } from '../channel/device.ts';
import { Call, REPLY_HEADER, REQUEST_HEADER } from '../wire/call.ts';
import { reply, serve, treeOperations } from '../wire/dispatch.ts';
import { MAX_WRITE } from '../wire/init.ts';
import { notifyPoll } from '../wire/notify.ts';
import type { Node } from '../wire/operation.ts';
import { Lookups, OpenFiles, type TreeServer } from '../wire/tree-server.ts';

/** Room for the header and every struct of a fixed size, in bytes. */
const SMALL_REPLY = 256;

export interface SessionServerOptions {
  /** The numbers under which the kernel was lent backing files, by inode. */
  readonly backing: ReadonlyMap<number, number>;
  /** What df shows. Default: nothing in use and nothing allowed, as for /proc. */
  readonly usage?: (() => Usage) | undefined;
}

/**
 * Serves what workers pass on, on the thread that has the tree and the state that its handlers close over. A handler
 * here may take its time: other requests are served meanwhile.
 */
export class SessionServer implements TreeServer {
  readonly lookups = new Lookups();
  readonly #root: ProcDirEntry;
  readonly #device: FuseDevice;
  readonly #options: SessionServerOptions;
  readonly #files = new OpenFiles();
  /** Requests whose handlers have not answered yet, by their `unique`. */
  readonly #waiting = new Map<number, Call>();

  constructor(root: ProcDirEntry, device: FuseDevice, options: SessionServerOptions) {
    this.#root = root;
    this.#device = device;
    this.#options = options;
  }

  /** Serves a request, which a whole header is known to be there of. */
  serve(request: Uint8Array): void {
    const call = new Call(request, new Uint8Array(replySize(request)));
    const operation = treeOperations[call.header.opcode];
    const answer = serve<TreeServer>(this, operation, call, request.length);
    if (typeof answer === 'number') {
      reply(this.#device, call, answer);
      return;
    }
    const { unique } = call.header;
    this.#waiting.set(unique, call);
    const late = (result: number) => {
      if (this.#waiting.delete(unique)) reply(this.#device, call, result);
      else this.#undo(call, result);
    };
    answer.then(late, (error: unknown) => {
      console.error(error);
      late(-EIO);
    });
  }

  /** The answer comes too late for a client that was told otherwise: what it opened for it, nobody else releases. */
  #undo(call: Call, result: number): void {
    if (call.header.opcode !== Opcode.OPEN || result < 0) return;
    this.#files.release(call.outputAt(fuseOpenOut, REPLY_HEADER).fh);
  }

  /** Answers a request whose worker is gone. */
  abandon(unique: number): void {
    const call = new Call(new Uint8Array(REQUEST_HEADER), new Uint8Array(REPLY_HEADER));
    call.header.unique = unique;
    reply(this.#device, call, -EIO);
  }

  /**
   * Drops the answers that are still to come, and releases what is open. An unmount leaves nothing open, but a connection
   * that was cut does, and the kernel says no more.
   */
  end(): void {
    this.#waiting.clear();
    this.#files.releaseAll();
  }

  node(nodeid: number): ProcDirEntry | undefined {
    return nodeid === FUSE_ROOT_ID ? this.#root : this.lookups.get(nodeid);
  }

  keepFile(file: ProcFile, ops: ProcOps | undefined): number {
    return this.#files.add(file, ops);
  }

  file(fh: number): ProcFile | undefined {
    return this.#files.get(fh);
  }

  dropFile(fh: number): void {
    this.#files.delete(fh);
  }

  backingId(node: Node): number | undefined {
    return this.#options.backing.get(node.ino);
  }

  waker(kh: number): () => void {
    return () => notifyPoll(this.#device, kh);
  }

  usage(): Usage {
    return this.#options.usage?.() ?? NO_USAGE;
  }

  interrupt(unique: number): boolean {
    const call = this.#waiting.get(unique);
    if (call === undefined) return false;
    this.#waiting.delete(unique);
    reply(this.#device, call, -EINTR);
    return true;
  }
}

/** Room for the reply to a request: its header, a small struct, and the bytes that it asks for. */
function replySize(request: Uint8Array): number {
  const call = new Call(request, new Uint8Array(REPLY_HEADER));
  const asked = <F extends Fields>(struct: Struct<F>, size: (input: View<F>) => number) =>
    call.isWhole(request.length, struct.size) ? Math.min(size(call.input(struct)), MAX_WRITE) : 0;
  switch (call.header.opcode) {
    case Opcode.READ:
    case Opcode.READDIR:
      return SMALL_REPLY + asked(fuseReadIn, (input) => input.size);
    case Opcode.IOCTL:
      return SMALL_REPLY + asked(fuseIoctlIn, (input) => input.out_size);
    default:
      return SMALL_REPLY;
  }
}
