import { controlOps } from '../../src/daemon/control.ts';
import { ProcDirEntry } from '../../src/proc-fs/proc-dir-entry.ts';
import { RustProcRamFile } from '../../src/ram-file/module.ts';
import { FuseDevice } from '../../src/transport/kernel/channel/device.ts';
import { SessionServer } from '../../src/transport/kernel/main-thread/main-server.ts';
import { Call } from '../../src/transport/kernel/wire/call.ts';
import { initialize } from '../../src/transport/kernel/wire/init.ts';
import { FileWorker } from '../../src/transport/kernel/worker-thread/file-worker.ts';

/** The most memory that the RAM file may take, in bytes: little enough to be full often. */
export const MAX_SIZE = 256 * 1024;

/** A device without a kernel: gives one request at a time, and keeps what is written. */
class ScriptedDevice extends FuseDevice {
  readonly written: Uint8Array[] = [];
  #next: Uint8Array | undefined;
  readonly #poison: number;
  /** The buffer that was read into last, and how much of it isn't poison. */
  #buffer: Uint8Array | undefined;
  #dirty = 0;

  constructor(poison: number) {
    super(-1);
    this.#poison = poison;
  }

  give(request: Uint8Array): void {
    this.#next = request;
    this.written.length = 0;
  }

  /** As the kernel puts it there, but all that is behind it is poison, and not what an earlier request left. */
  override read(bytes: Uint8Array): number {
    const request = this.#next;
    if (request === undefined) return 0;
    this.#next = undefined;
    bytes.set(request);
    bytes.fill(this.#poison, request.length, bytes === this.#buffer ? this.#dirty : bytes.length);
    this.#buffer = bytes;
    this.#dirty = request.length;
    return request.length;
  }

  override write(bytes: Uint8Array, length: number): void {
    if (length > bytes.length)
      throw new RangeError(`A reply of ${length} bytes has room for ${bytes.length}.`);
    this.written.push(bytes.slice(0, length));
  }

  override notify(): void {}
}

/**
 * A mount's whole way of a request without a mount: a worker's loop, the session's server behind it, and the tree that
 * `ramproc mount` makes, with a RAM file.
 */
export class World implements Disposable {
  readonly #device: ScriptedDevice;
  readonly #module: RustProcRamFile;
  readonly #worker: FileWorker;
  readonly #call: Call;
  readonly #server: SessionServer;
  readonly #serving = new Float64Array(1);
  readonly #forward = (request: Uint8Array): void => this.#server.serve(request);

  /** `poison` is what stands behind each request. `more` adds to the tree. */
  static async start(poison = 0, more: (root: ProcDirEntry) => void = () => {}): Promise<World> {
    const root = ProcDirEntry.root(
      0o555,
      controlOps(() => {}),
    );
    const module = RustProcRamFile.init(root, { maxSize: MAX_SIZE, uid: 0, gid: 0 });
    more(root);
    const worker = new FileWorker();
    const { ino, ops } = module.entry;
    const flags = ops?.flags ?? 0;
    await worker.attach({ ino, flags, shared: module.file.shared, backing: undefined });
    return new World(new ScriptedDevice(poison), root, module, worker);
  }

  private constructor(
    device: ScriptedDevice,
    root: ProcDirEntry,
    module: RustProcRamFile,
    worker: FileWorker,
  ) {
    this.#device = device;
    this.#module = module;
    this.#worker = worker;
    this.#call = new Call(...worker.buffers(0));
    this.#server = new SessionServer(root, device, { backing: new Map(), usage: () => module.file.pages });
  }

  /** What is written back for the first request of a session. */
  initialize(request: Uint8Array): Uint8Array[] {
    this.#device.give(request);
    initialize(this.#device, { mmap: true, passthrough: false });
    return [...this.#device.written];
  }

  /** What is written back for a request. */
  send(request: Uint8Array): Uint8Array[] {
    this.#device.give(request);
    this.#worker.run(this.#device, this.#call, this.#serving, this.#forward);
    return [...this.#device.written];
  }

  [Symbol.dispose](): void {
    this.#module[Symbol.dispose]();
  }
}
