import { closeSync } from 'node:fs';
import { inlineLayers } from '../../../daemon/inlining.ts';
import { mountFuse } from '../../../mount/mount.ts';
import { MountError } from '../../../mount/mount-error.ts';
import type { MountOptions } from '../../../mount/options.ts';
import { unmountFuse } from '../../../mount/unmount.ts';
import type { ProcDirEntry, TreeWatcher } from '../../../proc-fs/proc-dir-entry.ts';
import { quote } from '../../../text/quote.ts';
import { reason } from '../../../text/reason.ts';
import type { Session } from '../../mounted.ts';
import type { Usage } from '../../usage.ts';
import { lend } from '../channel/backing.ts';
import type { FuseDevice } from '../channel/device.ts';
import { openDevice, openRecording } from '../channel/recording.ts';
import { initialize } from '../wire/init.ts';
import { notifyInvalEntry, notifyInvalInode } from '../wire/notify.ts';
import type { WorkerData } from '../worker-contract.ts';
import { SessionServer } from './main-server.ts';
import { DEFAULT_THREADS, Workers } from './workers.ts';

export interface KernelSessionOptions extends MountOptions {
  /** How many threads wait for requests, 1 or more. Default: DEFAULT_THREADS. */
  readonly threads?: number | undefined;
  /** What df shows. Default: nothing in use and nothing allowed, as for /proc. */
  readonly usage?: (() => Usage) | undefined;
  /**
   * A file that each message between the kernel and this session goes to, as recording.ts says; it is made anew. For
   * looking into what the kernel asks. Default: none.
   */
  readonly record?: string | undefined;
}

/**
 * A tree of proc entries, mounted over the kernel's FUSE protocol.
 *
 * Workers read the requests. What concerns a file whose handler is `shared` they serve themselves; the rest comes to
 * the thread that made the session: see SessionServer.
 */
export class KernelSession implements Session, TreeWatcher {
  readonly dir: string;
  readonly closed: Promise<void>;
  readonly #device: FuseDevice;
  readonly #workers: Workers;

  /** Mounts `root` on `dir`. When this resolves, clients can use it. Throws MountError. */
  static async mount(root: ProcDirEntry, dir: string, options: KernelSessionOptions): Promise<KernelSession> {
    const recording = options.record === undefined ? undefined : openRecording(options.record);
    const device = await mountDevice(dir, options, recording);
    let session: KernelSession;
    try {
      const files = [...filesBelow(root)];
      initialize(device, {
        mmap: files.some(({ ops }) => ops?.handler.mmap?.() ?? false),
        passthrough: files.some(({ ops }) => ops?.handler.backing !== undefined),
      });
      session = new KernelSession(root, dir, device, options, recording);
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

  private constructor(
    root: ProcDirEntry,
    dir: string,
    device: FuseDevice,
    { threads = DEFAULT_THREADS, usage }: KernelSessionOptions,
    recording: number | undefined,
  ) {
    this.dir = dir;
    this.#device = device;
    const backing = lendFiles(root, device);
    inlineLayers();
    const watch = root.watch(this);
    const server = new SessionServer(root, device, { backing, usage });
    this.#workers = new Workers({ fd: device.fd, recording, nodes: sharedFiles(root, backing) }, threads, {
      serve: (request) => server.serve(request),
      abandon: (unique) => server.abandon(unique),
      giveUp: () => this.#giveUp(),
    });
    this.closed = this.#workers.ended
      .catch((error: Error) => {
        throw new Error(`Cannot go on serving ${quote(dir)}: ${error.message}.`, { cause: error });
      })
      .finally(() => {
        watch[Symbol.dispose]();
        server.end();
        device.close();
      });
  }

  unmount(lazy: boolean): void {
    unmountFuse(this.dir, lazy);
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
}

/** Mounts, or closes the recording again. Throws MountError. */
async function mountDevice(
  dir: string,
  options: MountOptions,
  recording: number | undefined,
): Promise<FuseDevice> {
  try {
    return openDevice(await mountFuse(dir, options), recording);
  } catch (error) {
    if (recording !== undefined) closeSync(recording);
    throw error;
  }
}

/** Lends the kernel the backing files that handlers have. Returns their numbers, by inode. */
function lendFiles(root: ProcDirEntry, { fd }: FuseDevice): Map<number, number> {
  const lent = new Map<number, number>();
  for (const { ino, ops } of filesBelow(root)) {
    if (ops?.handler.backing !== undefined) lent.set(ino, lend(fd, ops.handler.backing));
  }
  return lent;
}

/** The files that workers serve: those that are there when the tree is mounted. */
function sharedFiles(root: ProcDirEntry, backing: ReadonlyMap<number, number>): WorkerData['nodes'] {
  return [...filesBelow(root)].flatMap(({ ino, ops }) => {
    if (ops?.handler.shared === undefined) return [];
    return [{ ino, flags: ops.flags, shared: ops.handler.shared, backing: backing.get(ino) }];
  });
}

function* filesBelow(directory: ProcDirEntry): Generator<ProcDirEntry> {
  for (const child of directory.children) {
    if (child.isDirectory) yield* filesBelow(child);
    else yield child;
  }
}
