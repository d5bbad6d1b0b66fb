import { controlOps } from '../../src/daemon/control.ts';
import { ProcDirEntry } from '../../src/proc-fs/proc-dir-entry.ts';
import { RustProcRamFile } from '../../src/ram-file/module.ts';
import { TreeServer } from '../../src/transport/kernel/main-thread/tree-server.ts';
import { Call } from '../../src/transport/kernel/wire/call.ts';
import { type Channel, Next } from '../../src/transport/kernel/wire/channel.ts';
import { initialize, MAX_WRITE } from '../../src/transport/kernel/wire/init.ts';
import { NO_REPLY } from '../../src/transport/kernel/wire/operation.ts';
import { Serving } from '../../src/transport/kernel/worker-thread/serving.ts';

/** The most memory that the RAM file may take, in bytes: little enough to be full often. */
export const MAX_SIZE = 256 * 1024;

/** A channel without a kernel: gives one request at a time, and keeps what is answered. */
class ScriptedChannel implements Channel {
  readonly written: Uint8Array[] = [];
  #next: Uint8Array | undefined;
  readonly #poison: number;
  /** The buffer that was read into last, and how much of it isn't poison. */
  #buffer: Uint8Array | undefined;
  #dirty = 0;

  constructor(poison: number) {
    this.#poison = poison;
  }

  give(request: Uint8Array): void {
    this.#next = request;
    this.written.length = 0;
  }

  /** As the kernel puts it there, but all that is behind it is poison, and not what an earlier request left. */
  next(call: Call): Next {
    const request = this.#next;
    if (request === undefined) return Next.NOTHING;
    this.#next = undefined;
    const bytes = call.request;
    bytes.set(request);
    bytes.fill(this.#poison, request.length, bytes === this.#buffer ? this.#dirty : bytes.length);
    this.#buffer = bytes;
    this.#dirty = request.length;
    return call.arrived(request.length) ? Next.REQUEST : Next.NOTHING;
  }

  answer(call: Call, answer: number): void {
    if (answer === NO_REPLY) return;
    const length = call.finish(answer);
    if (length > call.reply.length)
      throw new RangeError(`A reply of ${length} bytes has room for ${call.reply.length}.`);
    this.written.push(call.reply.slice(0, length));
  }

  notify(): void {}
  close(): void {}
}

/**
 * A mount's whole way of a request without a mount: a worker's loop, the thread of the tree behind it, and the tree that
 * `ramproc mount` makes, with a RAM file.
 */
export class World implements Disposable {
  readonly #channel: ScriptedChannel;
  readonly #module: RustProcRamFile;
  readonly #worker: Serving;
  readonly #call: Call;
  readonly #server: TreeServer;

  /** `poison` is what stands behind each request. `more` adds to the tree. */
  static async start(poison = 0, more: (root: ProcDirEntry) => void = () => {}): Promise<World> {
    const root = ProcDirEntry.root(
      0o555,
      controlOps(() => {}),
    );
    const module = RustProcRamFile.init(root, { maxSize: MAX_SIZE, uid: 0, gid: 0 });
    more(root);
    const world = new World(new ScriptedChannel(poison), root, module);
    const { ino, ops } = module.entry;
    const { shared } = ops?.placement ?? {};
    if (shared === undefined) throw new Error('A RAM file is served by workers.');
    await world.#worker.add({ ino, shared, backing: undefined });
    return world;
  }

  private constructor(channel: ScriptedChannel, root: ProcDirEntry, module: RustProcRamFile) {
    this.#channel = channel;
    this.#module = module;
    this.#call = Call.within(
      module.entry.ops?.placement.scratch?.(0) ?? new Uint8Array(Call.space(MAX_WRITE)),
      MAX_WRITE,
    );
    this.#server = new TreeServer(root, channel, { backing: new Map(), usage: () => module.file.pages });
    this.#worker = new Serving({
      serving: new Float64Array(1),
      news: new Int32Array(1),
      takeNews: () => [],
      owner: -1,
      forward: (request) => this.#server.serve(request),
    });
  }

  /** What is written back for the first request of a mount. */
  initialize(request: Uint8Array): Uint8Array[] {
    this.#channel.give(request);
    initialize(this.#channel, { mmap: true, passthrough: false });
    return [...this.#channel.written];
  }

  /** What is written back for a request. */
  send(request: Uint8Array): Uint8Array[] {
    this.#channel.give(request);
    void this.#worker.run(this.#channel, this.#call);
    return [...this.#channel.written];
  }

  [Symbol.dispose](): void {
    this.#module[Symbol.dispose]();
  }
}
