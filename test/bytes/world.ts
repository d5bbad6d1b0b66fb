import { NOBODY } from '../../src/proc-fs/caller.ts';
import { ProcDirEntry } from '../../src/proc-fs/entries/entry.ts';
import { RustProcRamFile } from '../../src/ram-file/module.ts';
import { Counters } from '../../src/transport/counters.ts';
import { TreeServer } from '../../src/transport/kernel/main-thread/tree-server.ts';
import { CachedPages } from '../../src/transport/kernel/wire/cached-pages.ts';
import { Call } from '../../src/transport/kernel/wire/call.ts';
import type { Channel } from '../../src/transport/kernel/wire/channel.ts';
import { initialize, MAX_WRITE } from '../../src/transport/kernel/wire/init.ts';
import { Serving } from '../../src/transport/kernel/worker-thread/serving.ts';

/** The most memory that the RAM file may take, in bytes: little enough to be full often. */
export const MAX_SIZE = 256 * 1024;

/**
 * A mount's whole way of a request without a mount: a worker's loop, the thread of the tree behind it, and the tree that
 * `ramproc mount` makes, with a RAM file.
 */
export class World implements Disposable {
  readonly #channel: Channel;
  readonly #module: RustProcRamFile;
  readonly #worker: Serving;
  readonly #call: Call;
  readonly #server: TreeServer;
  readonly #pages = new CachedPages(CachedPages.allocate(false));

  /** `more` adds to the tree. */
  static async start(channel: Channel, more: (root: ProcDirEntry) => void = () => {}): Promise<World> {
    const root = ProcDirEntry.root();
    // As in the recording, whoever plays it again.
    root.setattr({ uid: 0, gid: 0 }, NOBODY);
    const module = RustProcRamFile.init(root, { maxSize: MAX_SIZE, uid: 0, gid: 0 });
    more(root);
    const world = new World(channel, root, module);
    const { ino, path, ops } = module.entry;
    const { shared } = ops?.placement ?? {};
    if (shared === undefined) throw new Error('A RAM file is served by workers.');
    await world.#worker.add({ ino, path, shared, backing: undefined, cachedPages: world.#pages.state });
    return world;
  }

  private constructor(channel: Channel, root: ProcDirEntry, module: RustProcRamFile) {
    this.#channel = channel;
    this.#module = module;
    this.#call = Call.within(
      module.entry.ops?.placement.scratch?.(0) ?? new Uint8Array(Call.space(MAX_WRITE)),
      MAX_WRITE,
    );
    this.#server = new TreeServer(root, channel, {
      endless: true,
      backing: new Map(),
      cachedPages: new Map(),
      usage: () => module.file.pages,
    });
    this.#worker = new Serving({
      serving: new Float64Array(1),
      news: new Int32Array(1),
      takeNews: () => [],
      owner: -1,
      counters: new Counters(Counters.allocate(), 0),
      pass: (message) => {
        if (message instanceof Uint8Array) this.#server.serveMessage(message);
        else if ('unique' in message) this.#server.written(message);
      },
    });
  }

  /** Answers the channel's first request. `byRings`: as where further ones come by io_uring. */
  initialize(byRings = false): void {
    initialize(this.#channel, { mmap: true, passthrough: false, endless: false, locks: false }, byRings);
  }

  /** Serves what the channel has. */
  run(): void {
    void this.#worker.run(this.#channel, this.#call);
  }

  [Symbol.dispose](): void {
    this.#module[Symbol.dispose]();
    this.#pages.release();
  }
}
