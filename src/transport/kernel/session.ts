import { EINTR, EIO } from '../../abi/errno.ts';
import { FUSE_ROOT_ID, Opcode } from '../../abi/fuse.ts';
import type { Fields, Struct, View } from '../../abi/struct.ts';
import { fuseIoctlIn, fuseReadIn } from '../../abi/structs.ts';
import type { ProcFile } from '../../proc-fs/handler.ts';
import type { ProcDirEntry, TreeWatcher } from '../../proc-fs/proc-dir-entry.ts';
import { MountError, type MountOptions, mountFuse, quote, reason, unmountFuse } from '../mount.ts';
import type { Session } from '../session.ts';
import { NO_USAGE, type Usage } from '../usage.ts';
import { lend } from './backing.ts';
import { Call, REPLY_HEADER, REQUEST_HEADER } from './call.ts';
import { FuseDevice } from './device.ts';
import { reply, serve, treeOperations } from './dispatch.ts';
import { initialize, MAX_WRITE } from './init.ts';
import { inlineLayers } from './inlining.ts';
import { notifyInvalEntry, notifyInvalInode, notifyPoll } from './notify.ts';
import type { Node } from './operation.ts';
import { Lookups, OpenFiles, type TreeServer } from './tree-server.ts';
import type { WorkerData } from './worker-data.ts';
import { Workers } from './workers.ts';

export interface KernelSessionOptions extends MountOptions {
  /** How many threads wait for requests, 1 or more. Default: 2. */
  readonly threads?: number | undefined;
  /** What df shows. Default: nothing in use and nothing allowed, as for /proc. */
  readonly usage?: (() => Usage) | undefined;
}

/** Room for the header and every struct of a fixed size, in bytes. */
const SMALL_REPLY = 256;

/**
 * A tree of proc entries, mounted over the kernel's FUSE protocol.
 *
 * Workers read the requests. What concerns a file whose handler is `shared` they serve themselves; the rest comes to
 * the thread that made the session, because there the tree is, and the state that its handlers close over. A handler
 * there may take its time: other requests are served meanwhile.
 */
export class KernelSession implements Session, TreeServer, TreeWatcher {
  readonly dir: string;
  readonly lookups = new Lookups();
  readonly closed: Promise<void>;
  readonly #root: ProcDirEntry;
  readonly #device: FuseDevice;
  readonly #options: KernelSessionOptions;
  readonly #files = new OpenFiles();
  /** Requests whose handlers have not answered yet, by their `unique`. */
  readonly #waiting = new Map<number, Call>();
  /** The numbers under which the kernel was lent backing files, by inode. */
  readonly #backing = new Map<number, number>();
  readonly #workers: Workers;

  /** Mounts `root` on `dir`. When this resolves, clients can use it. Throws MountError. */
  static async mount(root: ProcDirEntry, dir: string, options: KernelSessionOptions): Promise<KernelSession> {
    const device = new FuseDevice(mountFuse(dir, options));
    let session: KernelSession;
    try {
      const files = [...filesBelow(root)];
      initialize(device, {
        mmap: files.some(({ ops }) => ops?.handler.mmap?.() ?? false),
        passthrough: files.some(({ ops }) => ops?.handler.backing !== undefined),
      });
      session = new KernelSession(root, dir, device, options);
    } catch (error) {
      unmountFuse(dir, true);
      device.close();
      throw error;
    }
    try {
      await session.#workers.ready;
      return session;
    } catch (error) {
      await session.closed.catch(() => {});
      throw new MountError(`Cannot mount on ${quote(dir)}: ${reason(error)}.`, { cause: error });
    }
  }

  private constructor(root: ProcDirEntry, dir: string, device: FuseDevice, options: KernelSessionOptions) {
    this.#root = root;
    this.dir = dir;
    this.#device = device;
    this.#options = options;
    for (const { ino, ops } of filesBelow(root)) {
      if (ops?.handler.backing !== undefined) this.#backing.set(ino, lend(device.fd, ops.handler.backing));
    }
    inlineLayers();
    const watch = root.watch(this);
    this.#workers = new Workers({ fd: device.fd, nodes: this.#sharedFiles() }, options.threads ?? 2, {
      serve: (request) => this.#serve(request),
      abandon: (unique) => this.#abandon(unique),
      giveUp: () => this.#giveUp(),
    });
    this.closed = this.#workers.ended
      .catch((error: Error) => {
        throw new Error(`Cannot go on serving ${quote(dir)}: ${error.message}.`, { cause: error });
      })
      .finally(() => {
        watch[Symbol.dispose]();
        this.#waiting.clear();
        device.close();
      });
  }

  unmount(lazy: boolean): void {
    unmountFuse(this.dir, lazy);
  }

  /** The files that workers serve: those that are there when the tree is mounted. */
  #sharedFiles(): WorkerData['nodes'] {
    return [...filesBelow(this.#root)].flatMap(({ ino, ops }) => {
      if (ops?.handler.shared === undefined) return [];
      return [{ ino, flags: ops.flags, shared: ops.handler.shared, backing: this.#backing.get(ino) }];
    });
  }

  #serve(request: Uint8Array): void {
    const call = new Call(request, new Uint8Array(replySize(request)));
    const operation = treeOperations[call.header.opcode];
    const answer = serve<TreeServer>(this, operation, call, request.length);
    if (typeof answer === 'number') {
      reply(this.#device, call, answer);
      return;
    }
    const { unique } = call.header;
    this.#waiting.set(unique, call);
    const late = (result: number) => this.#waiting.delete(unique) && reply(this.#device, call, result);
    answer.then(late, (error: unknown) => {
      console.error(error);
      late(-EIO);
    });
  }

  /** Answers a request whose worker is gone. */
  #abandon(unique: number): void {
    const call = new Call(new Uint8Array(REQUEST_HEADER), new Uint8Array(REPLY_HEADER));
    call.header.unique = unique;
    reply(this.#device, call, -EIO);
  }

  /** Who has a file open is served for as long as there are workers, and then gets ENOTCONN. */
  #giveUp(): void {
    try {
      this.unmount(true);
    } catch (error) {
      console.error(error);
    }
  }

  removed(parent: ProcDirEntry, entry: ProcDirEntry): void {
    notifyInvalEntry(this.#device, parent.ino, entry.name);
    notifyInvalInode(this.#device, entry.ino);
  }

  changed(entry: ProcDirEntry): void {
    notifyInvalInode(this.#device, entry.ino);
  }

  node(nodeid: number): ProcDirEntry | undefined {
    return nodeid === FUSE_ROOT_ID ? this.#root : this.lookups.get(nodeid);
  }

  keepFile(file: ProcFile): number {
    return this.#files.add(file);
  }

  file(fh: number): ProcFile | undefined {
    return this.#files.get(fh);
  }

  dropFile(fh: number): void {
    this.#files.delete(fh);
  }

  backingId(node: Node): number | undefined {
    return this.#backing.get(node.ino);
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

function* filesBelow(directory: ProcDirEntry): Generator<ProcDirEntry> {
  for (const child of directory.children) {
    if (child.isDirectory) yield* filesBelow(child);
    else yield child;
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
