import type { Attr, AttrChange, ProcFile, ProcHandler } from '../../../proc-fs/handler.ts';
import { ProcFlag, ProcOps } from '../../../proc-fs/proc-ops.ts';
import { EIO } from '../../../sys/errno.ts';
import type { FuseDevice } from '../channel/device.ts';
import { type Call, REPLY_HEADER, REQUEST_HEADER } from '../wire/call.ts';
import { fileOperations, reply, serve } from '../wire/dispatch.ts';
import { BUFFER_SIZE, PAGE_SIZE } from '../wire/init.ts';
import type { FileServer, Node } from '../wire/operation.ts';
import { WRITE_DATA } from '../wire/operations/write.ts';
import { WAITING, type WorkerData } from '../worker-contract.ts';

/** A file whose handler runs here. Its directory entry lives with the session. */
class SharedNode implements Node {
  readonly ino: number;
  readonly isDirectory = false;
  readonly nlink = 1;
  readonly ops: ProcOps;
  readonly backing: number | undefined;

  constructor(ino: number, ops: ProcOps, backing: number | undefined) {
    this.ino = ino;
    this.ops = ops;
    this.backing = backing;
  }

  getattr(): Attr | number {
    return this.ops.procGetattr();
  }

  setattr(change: AttrChange): number {
    return this.ops.procSetattr(change);
  }
}

/** Room for a buffer and for what is in front of it to align its data, in bytes. */
const ALIGNED_SIZE = BUFFER_SIZE + PAGE_SIZE;

/**
 * A request and a reply in page-aligned memory, each placed so that the data of a WRITE, and of a READ, starts a page:
 * the kernel copies page by page, and needs one copy for each instead of two (1 MiB reads gain 40 %).
 */
function place(memory: Uint8Array): [request: Uint8Array, reply: Uint8Array] {
  const at = (start: number) => memory.subarray(start, start + BUFFER_SIZE);
  return [at(PAGE_SIZE - WRITE_DATA), at(ALIGNED_SIZE + PAGE_SIZE - REPLY_HEADER)];
}

/**
 * A thread that waits for requests on /dev/fuse, serves those for the files it knows on the spot, and passes the others
 * on to the session's thread. It never returns to its event loop until the file system is unmounted.
 */
export class FileWorker implements FileServer {
  readonly #nodes = new Map<number, SharedNode>();
  #node: SharedNode | undefined;
  /** Which worker serves a call is chance, so no state of an open file is kept: one ProcFile serves them all. */
  readonly #file = { flags: 0, uid: 0, pos: 0, privateData: undefined } satisfies ProcFile;

  async attach({ ino, flags, shared, backing }: WorkerData['nodes'][number]): Promise<void> {
    const module: { attach(state: unknown): ProcHandler } = await import(shared.module);
    this.#nodes.set(ino, new SharedNode(ino, new ProcOps(module.attach(shared.state), flags), backing));
  }

  /** Memory for a request and a reply, lent by a handler if one has some. */
  buffers(thread: number): [request: Uint8Array, reply: Uint8Array] {
    for (const { ops } of this.#nodes.values()) {
      const scratch = ops.handler.scratch?.(thread);
      if (scratch !== undefined && scratch.length >= 2 * ALIGNED_SIZE) return place(scratch);
    }
    return place(new Uint8Array(2 * ALIGNED_SIZE));
  }

  /** Serves until the file system is unmounted. `serving` tells the session of which request it would be left with. */
  run(
    device: FuseDevice,
    call: Call,
    serving: Float64Array,
    forward: (request: Uint8Array<ArrayBuffer>) => void,
  ) {
    for (;;) {
      const length = device.read(call.request);
      if (length === 0) return;
      // Without a whole header there is no number to answer with.
      if (length < REQUEST_HEADER) continue;
      const { unique } = call.header;
      if (!isAnswerable(unique)) continue;
      serving[0] = unique;
      const operation = fileOperations[call.header.opcode];
      this.#find(call.header.nodeid);
      if (operation === undefined || this.#node === undefined) {
        forward(new Uint8Array(call.request.subarray(0, length)));
      } else {
        const answer = serve(this, operation, call, length);
        const result = typeof answer === 'number' ? answer : tooLate();
        reply(device, call, result);
        if (this.#node.ops.flags & ProcFlag.SECRET) call.wipe(length, result);
      }
      serving[0] = WAITING;
    }
  }

  /** Clients ask for the same file again and again, so the node of the last request is tried first: 3 ns less than the map. */
  #find(nodeid: number): void {
    if (this.#node?.ino !== nodeid) this.#node = this.#nodes.get(nodeid);
  }

  /** The node of the request that is being served; no operation of a worker's asks for another. */
  node(): Node | undefined {
    return this.#node;
  }

  file(_fh: number, flags: number): ProcFile {
    this.#file.flags = flags;
    return this.#file;
  }

  keepFile(): number {
    return 0;
  }

  dropFile(): void {}

  backingId(node: Node): number | undefined {
    return this.#nodes.get(node.ino)?.backing;
  }

  waker(): () => void {
    return () => {};
  }
}

/**
 * Whether a reply can be sent to a number: with 0 it would be a notification (fuse_dev_do_write), and the kernel, which
 * counts by two from there (fuse_get_unique), never comes to 2^53.
 */
function isAnswerable(unique: number): boolean {
  return unique > 0 && unique <= Number.MAX_SAFE_INTEGER;
}

/** A worker is never on its event loop, where a promise could be kept: see SharedHandler. */
function tooLate(): number {
  console.error(new TypeError('A shared handler answered with a promise; it must answer at once.'));
  return -EIO;
}
