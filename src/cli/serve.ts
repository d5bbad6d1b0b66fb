import { totalmem } from 'node:os';
import { join } from 'node:path';
import { ProcDirEntry } from '../proc-fs/proc-dir-entry.ts';
import { DEFAULT_NAME, RustProcRamFile } from '../ram-file/rust-proc-ram-file.ts';
import { KernelSession, type KernelSessionOptions } from '../transport/kernel/session.ts';
import { MountError, quote } from '../transport/mount.ts';
import type { Session } from '../transport/session.ts';
import { controlOps, TEARDOWN_SIGNAL } from './control.ts';
import { fill, type Progress } from './fill.ts';
import { claim } from './mount-point.ts';
import type { Settings, Transport } from './parse.ts';

/** What a mount says of itself once it can be used. */
export interface Mounted {
  /** The directory, absolute. */
  readonly dir: string;
  /** The file's path. */
  readonly file: string;
  /** The process that serves it. */
  readonly pid: number;
  readonly transport: Transport;
  /** The most memory that the file may take, in bytes. */
  readonly maxSize: number;
}

/** How long clients that hold the file open may delay the end of a process that was told to end, in milliseconds. */
const GRACE = 500;

const endSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

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
  const { name = DEFAULT_NAME, transport = 'kernel', maxSize = Math.floor(totalmem() / 2) } = settings;
  using claimed = claim(dir, settings.nonempty ?? false, starter.notice);
  const { file, root, teardown } = create(name, maxSize, settings);
  try {
    if (settings.from !== undefined) await fill(file, settings.from, starter.progress);
    using ending = new EndOnSignal(teardown);
    const session = await mountRoot(transport, root, claimed.dir, { ...settings, usage: () => file.pages });
    claimed[Symbol.dispose]();
    ending.watch(session);
    starter.mounted({
      dir: session.dir,
      file: join(session.dir, name),
      pid: process.pid,
      transport,
      maxSize,
    });
    await session.closed;
  } finally {
    teardown();
  }
}

/** The tree with the file in it. `teardown` is the seed's: the entry goes first, then the data. */
function create(name: string, maxSize: number, { mode, uid, gid, io, words = [] }: Settings) {
  // The kernel leaves a FUSE file's times to who serves it, whatever the mount's flags say.
  const atime = words.lastIndexOf('noatime') <= words.lastIndexOf('atime');
  const teardown = () => module[Symbol.dispose]();
  const root = ProcDirEntry.root(undefined, controlOps(teardown));
  const module = RustProcRamFile.init(root, { name, maxSize, mode, uid, gid, io, atime });
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
  }: Settings & Pick<KernelSessionOptions, 'usage'>,
): Promise<Session> {
  const options = { words, allowOther, autoUnmount, usage };
  if (transport === 'kernel') return KernelSession.mount(root, dir, { ...options, threads, record });
  if (io !== 'direct') {
    throw new MountError(`Cannot mount with "--io ${io}" over libfuse 2; use "--transport kernel" for it.`);
  }
  if (record !== undefined) {
    throw new MountError(
      'Cannot record over libfuse 2, which keeps the requests; use "--transport kernel" for it.',
    );
  }
  const { LibfuseSession } = await import('../transport/libfuse/session.ts');
  return LibfuseSession.mount(root, dir, options);
}

/**
 * Ends a session when the process is told to end, by SIGINT, SIGTERM or SIGHUP; TEARDOWN_SIGNAL takes the data only.
 *
 * It must be there before the mount is: a process that ended in between would leave the mount behind, dead. Such a signal
 * is obeyed as soon as there is a session to end.
 */
class EndOnSignal implements Disposable {
  readonly #teardown: () => void;
  #session: Session | undefined;
  #pending: NodeJS.Signals | undefined;

  constructor(teardown: () => void) {
    this.#teardown = teardown;
    for (const signal of endSignals) process.on(signal, this.#end);
    process.on(TEARDOWN_SIGNAL, teardown);
  }

  watch(session: Session): void {
    this.#session = session;
    if (this.#pending !== undefined) this.#end(this.#pending);
  }

  readonly #end = (signal: NodeJS.Signals): void => {
    if (this.#session === undefined) {
      this.#pending = signal;
      return;
    }
    console.error(`ramproc: ${signal}, unmounting ${quote(this.#session.dir)}`);
    this.#teardown();
    this.#session.unmount(true);
    // Who holds the file open keeps the session alive. The signal's own way to end a process waits for no thread.
    setTimeout(() => {
      this[Symbol.dispose]();
      process.kill(process.pid, signal);
    }, GRACE).unref();
  };

  [Symbol.dispose](): void {
    for (const signal of endSignals) process.off(signal, this.#end);
    process.off(TEARDOWN_SIGNAL, this.#teardown);
  }
}
