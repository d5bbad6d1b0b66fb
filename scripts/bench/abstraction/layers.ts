import type { ProcFile } from '../../../src/proc-fs/handler.ts';
import { ProcOps } from '../../../src/proc-fs/proc-ops.ts';
import type { RamFile } from '../../../src/ram-file/ram-file.ts';
import { EIO } from '../../../src/sys/errno.ts';
import type { Call } from '../../../src/transport/kernel/wire/call.ts';
import { fileOperations, serve } from '../../../src/transport/kernel/wire/dispatch.ts';
import type { FileServer, Node } from '../../../src/transport/kernel/wire/operation.ts';
import { INO, type Server } from './request.ts';

/** All layers, as a worker goes through them: see src/transport/kernel/worker-thread/file-worker.ts. */
export function layers(call: Call, file: RamFile): Server {
  const ops = new ProcOps(file);
  const node: Node = { ino: INO, isDirectory: false, nlink: 1, ops, getattr: () => 0, setattr: () => 0 };
  const server = new OneFile(node);
  return (length) => {
    const operation = fileOperations[call.header.opcode];
    if (operation === undefined || !server.find(call.header.nodeid)) return 0;
    const answer = serve(server, operation, call, length);
    return call.finish(typeof answer === 'number' ? answer : -EIO);
  };
}

class OneFile implements FileServer {
  readonly #nodes = new Map<number, Node>();
  #node: Node | undefined;
  readonly #file = { flags: 0, uid: 0, pos: 0, privateData: undefined } satisfies ProcFile;

  constructor(node: Node) {
    this.#nodes.set(node.ino, node);
  }

  find(nodeid: number): boolean {
    if (this.#node?.ino !== nodeid) this.#node = this.#nodes.get(nodeid);
    return this.#node !== undefined;
  }

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

  backingId(): undefined {}

  waker(): () => void {
    return () => {};
  }
}
