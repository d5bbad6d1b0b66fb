import { totalmem } from 'node:os';
import { join } from 'node:path';
import { MountError } from '../mount/mount-error.ts';
import { claim } from '../mount/mount-point.ts';
import { ProcDirEntry } from '../proc-fs/proc-dir-entry.ts';
import { DEFAULT_NAME, type RamFileOptions, RustProcRamFile } from '../ram-file/module.ts';
import { KernelMount, type KernelMountOptions } from '../transport/kernel/main-thread/kernel-mount.ts';
import { DEFAULT_THREADS } from '../transport/kernel/main-thread/workers.ts';
import type { Mount } from '../transport/mount.ts';
import { controlOps } from './control.ts';
import { EndOnSignal } from './end-on-signal.ts';
import { fill, type Progress } from './fill.ts';
import { dropPrivileges } from './privileges.ts';
import { keepSecret } from './secret.ts';
import type { Settings, Transport } from './settings.ts';

/** What a mount says of itself once it can be used. */
export interface Mounted {
  /** The directory, absolute. */
  readonly dir: string;
  /** The file's path. */
  readonly file: string;
  /** The process that serves it. */
  readonly pid: number;
  readonly transport: Transport;
  /** The most memory that the file may take, in bytes: whole pages. */
  readonly maxSize: number;
}

/** Who started a mount, and wants to know how it goes. */
export interface Starter {
  readonly progress: Progress;
  /** Something that a person should know, in one sentence. */
  notice(message: string): void;
  /** Clients can open the file. */
  mounted(mounted: Mounted): void;
}

/**
 * Mounts the RAM file on `dir` and serves it in this process until it is unmounted. Throws one sentence, with nothing
 * left behind, when it can't be mounted.
 */
export async function serve(dir: string, settings: Settings, starter: Starter): Promise<void> {
  const half = Math.floor(totalmem() / 2);
  const given = { ...settings, threads: settings.threads ?? defaultThreads(settings) };
  const options = given.secret ? { ...given, ...keepSecret(given, half) } : { ...given, secret: undefined };
  const { name = DEFAULT_NAME, transport = 'kernel', maxSize = half } = options;
  using claimed = claim(dir, settings.nonempty ?? false, starter.notice);
  const { file, root, teardown } = create(name, maxSize, options);
  const { pages } = file;
  using ending = new EndOnSignal(teardown);
  try {
    dropPrivileges(settings);
    if (settings.from !== undefined) await fill(file, settings.from, starter.progress);
    const session = await ending.whileMounting(() =>
      mountRoot(transport, root, claimed.dir, { ...options, usage: () => file.pages }),
    );
    claimed[Symbol.dispose]();
    starter.mounted({
      dir: session.dir,
      file: join(session.dir, name),
      pid: process.pid,
      transport,
      maxSize: pages.max * pages.size,
    });
    await session.closed;
  } finally {
    teardown();
  }
}

/** One worker less where the kernel reads and writes by itself, and where each would lock 2 MiB that a secret could have. */
function defaultThreads({ io, secret }: Settings): number {
  return io === 'passthrough' || secret ? DEFAULT_THREADS - 1 : DEFAULT_THREADS;
}

/** The tree with the file in it. `teardown` is the seed's: the entry goes first, then the data. */
function create(
  name: string,
  maxSize: number,
  { mode, uid, gid, io, secret, words = [] }: Omit<Settings, 'secret'> & Pick<RamFileOptions, 'secret'>,
) {
  // The kernel leaves a FUSE file's times to who serves it, whatever the mount's flags say.
  const atime = words.lastIndexOf('noatime') <= words.lastIndexOf('atime');
  const teardown = () => module[Symbol.dispose]();
  const root = ProcDirEntry.root(undefined, controlOps(teardown));
  const module = RustProcRamFile.init(root, { name, maxSize, mode, uid, gid, io, atime, secret });
  return { root, file: module.file, teardown };
}

/** The libfuse transport is loaded when it is asked for: it brings a library along. */
async function mountRoot(
  transport: Transport,
  root: ProcDirEntry,
  dir: string,
  {
    words,
    allowOther,
    autoUnmount,
    threads,
    record,
    usage,
    io = 'direct',
  }: Omit<Settings, 'secret'> & Pick<KernelMountOptions, 'usage'>,
): Promise<Mount> {
  const options = { words, allowOther, autoUnmount, usage };
  if (transport === 'kernel') return KernelMount.mount(root, dir, { ...options, threads, record });
  if (io !== 'direct') {
    throw new MountError(`Cannot mount with "--io ${io}" over libfuse 2; use "--transport kernel" for it.`);
  }
  if (record !== undefined) {
    throw new MountError(
      'Cannot record over libfuse 2, which keeps the requests; use "--transport kernel" for it.',
    );
  }
  const { LibfuseMount } = await import('../transport/libfuse/libfuse-mount.ts');
  return LibfuseMount.mount(root, dir, options);
}
