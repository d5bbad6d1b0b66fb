import { closeSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
import type { MountIdentity } from '../../../mount/identity.ts';
import { type FuseMount, mountFuse } from '../../../mount/mount.ts';
import { MountError } from '../../../mount/mount-error.ts';
import { type Claim, claim } from '../../../mount/mount-point.ts';
import type { MountOptions } from '../../../mount/options.ts';
import { unmountFuse } from '../../../mount/unmount.ts';
import type { ProcDirEntry } from '../../../proc-fs/entries/entry.ts';
import type { TreeWatcher, Written } from '../../../proc-fs/entries/watcher.ts';
import type { Placement } from '../../../proc-fs/placement.ts';
import { atExit } from '../../../sys/at-exit.ts';
import { setNonblocking } from '../../../sys/descriptor.ts';
import { threadNumber } from '../../../sys/thread.ts';
import { isHungUp } from '../../../sys/watch.ts';
import { quote } from '../../../text/quote.ts';
import { reason } from '../../../text/reason.ts';
import { addUp, Counters, SAMPLE, threadOf } from '../../counters.ts';
import type { Mount } from '../../mount.ts';
import { type MountStatistics, processorTime } from '../../statistics.ts';
import type { Trace } from '../../trace.ts';
import { type TraceFilter, type TraceOrder, Tracers } from '../../tracers.ts';
import type { Wants } from '../../wants.ts';
import { lend, takeBack } from '../channel/backing.ts';
import { CountingChannel } from '../channel/counting.ts';
import { DeviceChannel } from '../channel/device.ts';
import { lookTime } from '../channel/patience.ts';
import { openRecording, recorded } from '../channel/recording.ts';
import { RingReplies } from '../channel/ring-replies.ts';
import { allocateTurn } from '../channel/turn.ts';
import { channelInUse } from '../channels.ts';
import { CachedPages } from '../wire/cached-pages.ts';
import { initialize, MAX_WRITE } from '../wire/init.ts';
import {
  invalPages,
  notifyInvalAttributes,
  notifyInvalEntry,
  notifyInvalInode,
  storePages,
} from '../wire/notify.ts';
import { operationName, teller } from '../wire/traced.ts';
import type { SharedNode } from '../worker-contract.ts';
import { DEFAULT_THREADS } from '../worker-contract.ts';
import { Draining } from './draining.ts';
import { EventLoop } from './event-loop.ts';
import { Notifier } from './notifier.ts';
import type { KernelMountOptions } from './options.ts';
import type { Rings } from './rings.ts';
import { TreeServer } from './tree-server.ts';
import { Workers } from './workers.ts';

/**
 * A tree of proc entries, mounted over the kernel's FUSE protocol.
 *
 * Where there are files whose handlers are `shared`, workers take the requests. Those for such files they serve themselves; the rest
 * comes to the thread that made the mount as messages: see TreeServer. Where there are none, that thread takes them: see Draining.
 */
export class KernelMount implements Mount, TreeWatcher {
  readonly dir: string;
  readonly closed: Promise<void>;
  readonly #identity: MountIdentity;
  readonly #fd: number;
  readonly #channel: CountingChannel;
  readonly #server: TreeServer;
  readonly #workers: Workers | EventLoop;
  readonly #wants: Wants;
  /** The numbers under which the kernel was lent backing files, by inode. */
  readonly #backing = new Map<number, number>();
  readonly #cachedPages = new Map<number, CachedPages>();
  readonly #notifier: Notifier;
  readonly #tracers = new Tracers((orders) => this.#traced(orders));
  readonly #counters: SharedArrayBuffer;
  /** How long this thread was on a processor before, in seconds: it may serve other mounts too. */
  readonly #before = processorTime(threadNumber()) ?? 0;
  readonly #root: ProcDirEntry;
  readonly #turn = allocateTurn();
  /** Else the event loop serves all: see EventLoop. */
  readonly #hasWorkers: boolean;
  #draining: Draining | undefined;
  /** What requests come by, where that isn't the device alone. */
  readonly #rings: Rings | undefined;
  /** Whether there was a file that workers serve. */
  #hasShared = false;
  #isClosed = false;

  /**
   * Mounts `root` on `dir`. When this resolves, clients can use it. What a program left mounted there that is dead is
   * replaced, with a notice. Throws MountError, also when something is mounted there, or being mounted.
   */
  static async mount(root: ProcDirEntry, dir: string, options: KernelMountOptions): Promise<KernelMount> {
    using claimed = await claim(dir, options);
    return await KernelMount.mountOn(claimed, root, options);
  }

  /** The same on a directory that the caller has claimed. @internal */
  static async mountOn(
    { dir }: Claim,
    root: ProcDirEntry,
    options: KernelMountOptions,
  ): Promise<KernelMount> {
    const recording = options.record === undefined ? undefined : openRecording(options.record);
    const rings = await ringsFor(options);
    const { fd, identity } = await mountDevice(dir, options, recording, rings);
    const own = new DeviceChannel(fd);
    const device = recorded(rings === undefined ? own : new RingReplies(own, rings.far), recording);
    const counters = Counters.allocate();
    const channel = new CountingChannel(device, new Counters(counters, threadNumber()));
    let mount: KernelMount;
    try {
      const wants = { ...needsOf(below(root)), ...options.wants };
      initialize(device, wants, rings !== undefined);
      setNonblocking(fd);
      mount = new KernelMount(root, identity, { fd, channel, rings, recording, wants, counters }, options);
    } catch (error) {
      unmountFuse(identity, { lazy: true });
      channel.close();
      rings?.[Symbol.dispose]();
      throw error;
    }
    try {
      await mount.#workers.ready;
      return mount;
    } catch (error) {
      await mount.closed.catch(() => {});
      throw new MountError(`Cannot mount on ${quote(dir)}: ${reason(error)}.`, { cause: error });
    }
  }

  private constructor(
    root: ProcDirEntry,
    identity: MountIdentity,
    connection: Connection,
    { threads = DEFAULT_THREADS, usage, hook, trace, alone = false }: KernelMountOptions,
  ) {
    this.dir = identity.dir;
    this.#identity = identity;
    const { fd, channel, rings, recording, counters } = connection;
    this.#rings = rings;
    this.#counters = counters;
    this.#root = root;
    this.#hasWorkers = threads > 0;
    this.#fd = fd;
    this.#channel = channel;
    this.#notifier = new Notifier(fd);
    this.#wants = connection.wants;
    this.#server = new TreeServer(root, channel, {
      backing: this.#backing,
      cachedPages: this.#cachedPages,
      endless: connection.wants.endless,
      locks: connection.wants.locks,
      usage,
      found: (entry) => this.#admit(entry),
      gone: ({ ino }) => this.#unshare(ino),
    });
    if (rings !== undefined) for (const entry of below(root)) refuseSecret(entry);
    const nodes = [...below(root)].flatMap((entry) => this.#share(entry) ?? []);
    const watch = root.watch(this);
    const loop = (busy?: () => void) => new EventLoop(fd, channel, this.#server, busy);
    const workers = () =>
      new Workers(
        {
          ...{ fd, turn: this.#turn, rings, recording, hook, threads, nodes },
          alone: alone && rings === undefined && this.#hasShared ? loop : undefined,
        },
        {
          serve: (request) => this.#server.serveMessage(request),
          written: (write) => this.#server.written(write),
          told: ({ traced, whom }) => this.#tracers.tell(traced, whom),
          abandon: (unique) => this.#server.abandon(unique),
          giveUp: () => this.#giveUp(),
        },
      );
    this.#workers = this.#hasWorkers ? workers() : loop();
    if (rings !== undefined) this.#serveBeside();
    if (trace !== undefined) this.trace(trace);
    const exit = atExit(() => this.#atExit());
    this.closed = this.#workers.ended
      .catch((error: Error) => {
        throw new Error(`Cannot go on serving ${quote(this.dir)}: ${error.message}.`, { cause: error });
      })
      .finally(async () => {
        exit[Symbol.dispose]();
        watch[Symbol.dispose]();
        this.#draining?.[Symbol.dispose]();
        this.#server.end();
        for (const pages of this.#cachedPages.values()) pages.release();
        this.#isClosed = true;
        await this.#notifier[Symbol.asyncDispose]();
        channel.close();
        rings?.[Symbol.dispose]();
      });
  }

  /**
   * Serves what comes by the device where all else comes by rings: INTERRUPT and FORGET, which are for this thread anyway. The end of the
   * mount is seen here also when no ring has an entry left that could say so.
   */
  #serveBeside(): void {
    const beside = new EventLoop(this.#fd, this.#channel, this.#server);
    beside.keepAlive(false);
    const failed = (error: unknown) => {
      console.error(error);
      this.#giveUp();
    };
    beside.ended.then(() => this.#workers.stop(), failed);
    this.#workers.ended.catch(() => {}).finally(() => beside.stop());
  }

  get connected(): boolean {
    return !this.#isClosed && !isHungUp(this.#fd);
  }

  unmount(lazy: boolean): void {
    // Without the connection its numbers can be another mount's.
    if (this.connected) unmountFuse(this.#identity, { lazy });
  }

  statistics(): MountStatistics {
    const workers = this.#workers.counters;
    const paths = new Map([...below(this.#root)].map(({ ino, path }) => [ino, path]));
    const path = (ino: number) => paths.get(ino) ?? this.#server.pathOf(ino);
    const threads = [...workers, this.#counters].map((shared, thread) => {
      const { tid, requests } = threadOf(shared);
      const cpu = processorTime(tid);
      if (thread < workers.length) return { name: `worker ${thread}`, requests, cpu };
      return { name: 'event loop', requests, cpu: cpu && cpu - this.#before };
    });
    return {
      // The event loop times all that it answers.
      sample: workers.some((shared) => threadOf(shared).requests > 0) ? SAMPLE : 1,
      operations: addUp([...workers, this.#counters], { operation: operationName, path }),
      threads,
    };
  }

  keepAlive(keep: boolean): void {
    this.#workers.keepAlive(keep);
  }

  hire(): Promise<void> {
    return this.#workers.hire();
  }

  trace(trace: Trace, filter?: TraceFilter, room?: Int32Array): Disposable {
    return this.#tracers.add(trace, filter, room);
  }

  #traced(orders: readonly TraceOrder[]): void {
    const pathOf = (ino: number) => this.#server.pathOf(ino);
    this.#channel.tell = teller(orders, pathOf, (traced, whom) => this.#tracers.tell(traced, whom));
    this.#workers.trace(orders);
  }

  abort(): void {
    try {
      this.unmount(true);
    } finally {
      // The connection ends with them.
      this.#workers.stop();
    }
  }

  /**
   * Who has a file open is served for as long as there are workers, and then gets ENOTCONN: at once where each has queues of its own, in
   * which requests would wait for ever.
   */
  #giveUp(): void {
    try {
      this.unmount(true);
    } catch (error) {
      console.error(`ramproc: ${reason(error)}.`);
    }
    if (this.#rings !== undefined) this.#workers.stop();
  }

  /** Node waits for its threads when the program ends, and those wait for requests. Clients get ENOTCONN. */
  #atExit(): void {
    this.#giveUp();
    this.#workers.stop();
  }

  adding(entry: ProcDirEntry): void {
    this.#admit(entry);
    const { ino } = entry.parent;
    // Its links and times are not what they were, if the kernel knows it. Now: when the entry is told of, somebody may ask for the directory's
    // attributes for the first time, and what is answered is dropped if this comes later (fuse_change_attributes): EACCES, without a mode.
    if (this.#server.node(ino) !== undefined) notifyInvalAttributes(this.#channel, ino);
  }

  /** Has an entry served. Throws a MountError when it can't be. */
  #admit(entry: ProcDirEntry): void {
    const needs = needsOf([entry]);
    if (this.#wants.locks && entry.ops?.placement.shared !== undefined) {
      throw new MountError(
        `Cannot add ${quote(entry.name)} to the tree that is mounted on ${quote(this.dir)}: workers serve it, who know of no locks, and these are agreed on with the kernel there; add it to another mount.`,
      );
    }
    for (const what of ['mmap', 'passthrough', 'locks'] as const) {
      if (needs[what] && !this.#wants[what]) {
        throw new MountError(
          `Cannot add ${quote(entry.name)} to the tree that is mounted on ${quote(this.dir)}: it needs "${what}", which is agreed on with the kernel when the tree is mounted; mount it with wants: { ${what}: true }.`,
        );
      }
    }
    if (this.#rings !== undefined) refuseSecret(entry);
    const node = this.#share(entry);
    if (node !== undefined) this.#workers.add(node);
  }

  removed(parent: ProcDirEntry, entry: ProcDirEntry): void {
    notifyInvalEntry(this.#channel, parent.ino, entry.name);
    notifyInvalInode(this.#channel, entry.ino);
    this.#server.removed(entry);
  }

  /**
   * Where workers serve the file, the kernel has acted on it by the time that this returns. Else it may wait for this very thread,
   * and acts on it as soon as it can.
   */
  changed({ ino, ops }: ProcDirEntry, written?: Written): void {
    if (this.#server.node(ino) === undefined) return;
    if (ops?.placement.shared === undefined || this.#workers.isAlone) notifyInvalInode(this.#channel, ino);
    else if (written === undefined) this.#notifier.send(invalPages({ ino, offset: 0, length: 0 }));
    else this.#written(ino, ops.placement, written);
  }

  /** Nobody but the handler is asked for what is lent, and the attributes of that are never believed. */
  #written(ino: number, { cached = false, backing }: Placement, { offset, data, isEnd }: Written): void {
    const end = offset + data.length;
    if (backing !== undefined) return;
    if (cached) {
      // What clients changed in the same pages is written back with these bytes, and then all is read anew.
      for (let at = 0; at < data.length; at += MAX_WRITE)
        this.#notifier.send(storePages(ino, offset + at, data.subarray(at, at + MAX_WRITE)));
    } else if (isEnd) {
      // The only way to tell the kernel of a new end before it asks: who has mapped the file gets SIGBUS from the old one on.
      this.#notifier.send(storePages(ino, end - 1, data.subarray(-1)));
    }
    if (cached || isEnd || this.#cachedPages.get(ino)?.isStale(offset, data.length))
      this.#notifier.send(invalPages({ ino, offset, length: data.length }));
    else notifyInvalAttributes(this.#channel, ino);
  }

  /** A file as workers need it, or undefined for one that they don't serve. Lends the kernel its backing file. */
  #share({ ino, path, ops }: ProcDirEntry): SharedNode | undefined {
    const { shared, backing, mmap = false, cached = false, secret = false } = ops?.placement ?? {};
    if (ops !== undefined) this.#placed(shared !== undefined);
    if (backing !== undefined) this.#backing.set(ino, lend(this.#fd, backing));
    else if (mmap && !cached) this.#cachedPages.set(ino, new CachedPages(CachedPages.allocate(secret)));
    return (
      shared && {
        ino,
        path,
        shared,
        backing: this.#backing.get(ino),
        cachedPages: this.#cachedPages.get(ino)?.state,
      }
    );
  }

  /**
   * Has the event loop take requests once there is a file for it, and as long as there is none for workers. Not that of a worker of the
   * program's: one that is terminated while koffi calls it takes the whole process with it.
   */
  #placed(shared: boolean): void {
    this.#hasShared ||= shared;
    if (this.#hasShared) this.#draining?.[Symbol.dispose]();
    else if (this.#hasWorkers && this.#rings === undefined && isMainThread)
      this.#draining ??= new Draining(this.#fd, this.#channel, this.#server, this.#turn, lookTime());
  }

  #unshare(ino: number): void {
    this.#workers.forget(ino);
    this.#cachedPages.get(ino)?.release();
    this.#cachedPages.delete(ino);
    const backing = this.#backing.get(ino);
    if (backing === undefined) return;
    this.#backing.delete(ino);
    takeBack(this.#fd, backing);
  }
}

/** What a mount is connected to the kernel by, and what the thread that has the tree counts. */
interface Connection {
  readonly fd: number;
  readonly channel: CountingChannel;
  readonly rings: Rings | undefined;
  readonly recording: number | undefined;
  readonly wants: Wants;
  readonly counters: SharedArrayBuffer;
}

/** Loaded where they are asked for. Throws a MountError. */
async function ringsFor({
  channel,
  threads = DEFAULT_THREADS,
}: KernelMountOptions): Promise<Rings | undefined> {
  if (channelInUse(channel) === 'device') return undefined;
  const { Rings } = await import('./rings.ts');
  return new Rings(threads);
}

/** Mounts, or closes the recording and the rings again. Throws MountError. */
async function mountDevice(
  dir: string,
  options: MountOptions,
  recording: number | undefined,
  rings: Rings | undefined,
): Promise<FuseMount> {
  try {
    return await mountFuse(dir, options);
  } catch (error) {
    if (recording !== undefined) closeSync(recording);
    rings?.[Symbol.dispose]();
    throw error;
  }
}

/** What some entries need of the kernel. Where there is no file yet, one without an end may come. */
function needsOf(some: Iterable<ProcDirEntry>): Wants {
  const entries = [...some];
  const ops = entries.flatMap((entry) => entry.ops ?? []);
  return {
    mmap: ops.some(({ placement }) => placement.mmap ?? false),
    locks: ops.some(({ handler }) => (handler.lock ?? handler.flock ?? handler.flush) !== undefined),
    passthrough: ops.some(({ placement }) => placement.backing !== undefined),
    endless:
      ops.length === 0 ||
      ops.some((one) => one.isEndless) ||
      entries.some(({ names }) => names !== undefined),
  };
}

/** What a worker has handed to a ring isn't there to be overwritten: the next request may be. Throws a MountError. */
function refuseSecret({ name, ops }: ProcDirEntry): void {
  if (!ops?.placement.secret) return;
  throw new MountError(
    `Cannot serve ${quote(name)} by io_uring: it is secret, and the kernel may put the next request where the last was to be overwritten; mount it with channel: "device".`,
  );
}

/** A directory, and all that was added in it. */
function* below(directory: ProcDirEntry): Generator<ProcDirEntry> {
  yield directory;
  for (const child of directory.children) {
    if (child.kind === 'directory') yield* below(child);
    else yield child;
  }
}
