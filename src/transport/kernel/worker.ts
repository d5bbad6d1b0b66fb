import { parentPort, workerData } from 'node:worker_threads';
import type { Attr, AttrChange, ProcFile, ProcHandler, SharedHandler } from '../../proc-fs/handler.ts';
import { ProcOps } from '../../proc-fs/proc-ops.ts';
import { Call, REPLY_HEADER, REQUEST_HEADER } from './call.ts';
import { FuseDevice } from './device.ts';
import { fileOperations, serve } from './dispatch.ts';
import { BUFFER_SIZE, PAGE_SIZE } from './init.ts';
import type { FileServer, Node } from './operation.ts';
import { WRITE_DATA } from './operations/write.ts';

/** What a session gives each of its workers. */
export interface WorkerData {
  /** The session's /dev/fuse. */
  readonly fd: number;
  /** Which of the session's workers this is, from 0. */
  readonly thread: number;
  /** The files whose handlers run in workers. */
  readonly nodes: readonly {
    readonly ino: number;
    readonly flags: number;
    readonly shared: SharedHandler;
    /** The number under which the kernel was lent the file's backing file, if it was. */
    readonly backing: number | undefined;
  }[];
}

/** A worker's message to its session: that it serves, or a request that isn't for a file it knows. */
export type WorkerMessage = 'ready' | Uint8Array<ArrayBuffer>;

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
class FuseWorker implements FileServer {
  readonly #nodes = new Map<number, SharedNode>();
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

  run(device: FuseDevice, call: Call, forward: (request: Uint8Array<ArrayBuffer>) => void): void {
    for (;;) {
      const length = device.read(call.request);
      if (length === 0) return;
      // Without a whole header there is no number to answer with.
      if (length < REQUEST_HEADER) continue;
      const operation = fileOperations[call.header.opcode];
      if (operation === undefined || !this.#nodes.has(call.header.nodeid)) {
        forward(new Uint8Array(call.request.subarray(0, length)));
        continue;
      }
      const answer = serve(this, operation, call, length);
      if (typeof answer !== 'number') throw new TypeError('A shared handler must answer at once.');
      device.write(call.reply, call.finish(answer));
    }
  }

  node(nodeid: number): Node | undefined {
    return this.#nodes.get(nodeid);
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

if (parentPort === null)
  throw new Error('worker.ts is the start of a worker thread, not a module to import.');
const port = parentPort;
const { fd, thread, nodes }: WorkerData = workerData;
const worker = new FuseWorker();
for (const node of nodes) await worker.attach(node);
const send = (message: WorkerMessage) => port.postMessage(message);
send('ready');
worker.run(new FuseDevice(fd), new Call(...worker.buffers(thread)), send);
