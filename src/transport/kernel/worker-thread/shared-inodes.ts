import type { Caller } from '../../../proc-fs/caller.ts';
import type { Attr, AttrChange, MaybePromise, ProcFile } from '../../../proc-fs/handler.ts';
import type { ProcOps, Raw } from '../../../proc-fs/proc-ops.ts';
import { isOwnModule } from '../../../sys/own-module.ts';
import { type Cell, type Counters, OPERATIONS } from '../../counters.ts';
import { CachedPages } from '../wire/cached-pages.ts';
import type { Call } from '../wire/call.ts';
import { bareFileOperations, fileOperations, type Table } from '../wire/dispatch.ts';
import { type Inodes, NO_REPLY, type Node } from '../wire/operation.ts';
import { fhOf, SharedFile } from '../wire/shared-file.ts';
import type { SharedNode, Written } from '../worker-contract.ts';

/** A file whose handler runs here. Its directory entry lives with the tree. */
export class WorkerNode implements Node {
  readonly ino: number;
  readonly path: string;
  readonly kind = 'file';
  readonly nlink = 1;
  readonly isLookedUp = false;
  readonly ops: ProcOps;
  /** What may be asked of it here. */
  readonly operations: Table<Node, Inodes>;
  readonly backing: number | undefined;
  readonly cachedPages: CachedPages | undefined;
  readonly #cells: (Cell | undefined)[] = new Array(OPERATIONS).fill(undefined);

  constructor(
    { ino, path, backing, cachedPages }: Pick<SharedNode, 'ino' | 'path'> & Partial<SharedNode>,
    ops: ProcOps,
  ) {
    this.ino = ino;
    this.path = path;
    this.ops = ops;
    this.operations = ops.hasAttr ? fileOperations : bareFileOperations;
    this.backing = backing;
    this.cachedPages = cachedPages && new CachedPages(cachedPages);
  }

  /** Where an operation on it is counted. */
  cell(operation: number, counters: Counters): Cell {
    this.#cells[operation] ??= counters.cell(this.ino, operation);
    return this.#cells[operation];
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
  /** None of its files is without an end: see ProcOps. */
  readonly farEnds = undefined;
  readonly #nodes = new Map<number, WorkerNode>();
  #last: WorkerNode | undefined;
  readonly #file = new SharedFile();
  readonly #pass: (written: Written) => void;
  readonly #hook: string | undefined;

  /**
   * `pass` hands the answer to a WRITE to the thread that has the tree. `hook` is imported before a handler's module that isn't of this
   * package.
   */
  constructor(pass: (written: Written) => void, hook?: string) {
    this.#pass = pass;
    this.#hook = hook;
  }

  /** Makes a file's handler in this thread. */
  async add(node: SharedNode): Promise<WorkerNode> {
    const { shared } = node;
    if (this.#hook !== undefined && !isOwnModule(shared.module)) await import(this.#hook);
    const module: { attach(state: unknown): ProcOps } = await import(shared.module);
    return this.place(new WorkerNode(node, module.attach(shared.state)));
  }

  /** The same, for one that is made already. */
  place(node: WorkerNode): WorkerNode {
    this.#nodes.set(node.ino, node);
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

  opsOf({ ops }: WorkerNode): ProcOps {
    return ops;
  }

  dropFile(): void {}

  cachedPages({ cachedPages }: WorkerNode): CachedPages | undefined {
    return cachedPages;
  }

  answerWithoutPages({ ino }: WorkerNode, call: Call, offset: number, length: number): number {
    this.#pass({ ino, offset, length, unique: call.header.unique });
    return NO_REPLY;
  }

  backingId({ backing }: WorkerNode): number | undefined {
    return backing;
  }
}
