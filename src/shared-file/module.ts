import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import type { ProcDirEntry } from '../proc-fs/entries/entry.ts';
import { procCreate } from '../proc-fs/entries/proc-create.ts';
import { ProcOps } from '../proc-fs/proc-ops.ts';
import { DEFAULT_MODE, DEFAULT_NAME } from '../ram-file/defaults.ts';
import type { FileChange } from '../ram-file/module.ts';
import { oneLine } from '../text/one-line.ts';
import { type Address, parseTarget } from './address.ts';
import { checkEngine } from './check.ts';
import { DEFAULT_TIMEOUT } from './defaults.ts';
import { type SharedAttr, SharedHandler } from './handler.ts';
import { checkKey } from './key.ts';
import { LockingHandler } from './locking-handler.ts';
import { Session } from './session.ts';
import { EngineLook, type EngineStatus } from './status.ts';
import { sentenceOf } from './why-not.ts';

const PAGE_SIZE = 4096;

/**
 * Where a shared file is, and how it is served.
 *
 * @example
 * ```ts
 * const options: SharedRamFileOptions = { on: 'redis://localhost', key: 'jobs', io: 'cached', timeout: 2000 };
 * ```
 */
export interface SharedRamFileOptions {
  /**
   * Where the engine is: `redis://HOST:PORT/DATABASE`, `rediss://` for TLS, `unix:///SOCKET`, `redis-sentinel://HOST:PORT,HOST:PORT/NAME`,
   * `redis-cluster://HOST:PORT,HOST:PORT`; user and password as in any URL, and `?ca=FILE` for certificates to trust.
   */
  readonly on: string | Address;
  /** Instead of the URL's. */
  readonly password?: string | undefined;
  /** What the file is called in the engine: 1 to 200 bytes without braces and control characters. */
  readonly key: string;
  /** The file's name in the tree. Default: `rust-proc-file`. */
  readonly name?: string | undefined;
  /** Permission bits of a file that is made. Default: 0666. */
  readonly mode?: number | undefined;
  /** The owner of a file that is made. Default: this process's. */
  readonly uid?: number | undefined;
  /** The group of a file that is made. Default: this process's. */
  readonly gid?: number | undefined;
  /**
   * The most that the bytes of a file that is made may take, in bytes, rounded up to whole pages of 4096; holes don't count. The engine needs 1.3
   * times as much. One that is there has its own. Default: half of the engine's memory.
   */
  readonly maxSize?: number | undefined;
  /** Whether reading moves the time of the last access, as with relatime. Default: true. */
  readonly atime?: boolean | undefined;
  /** Whether the page cache may answer reads; a change elsewhere drops it. Default: `direct`, each read asks the engine. */
  readonly io?: 'direct' | 'cached' | undefined;
  /** How long a call may take before it ends in EIO or ETIMEDOUT, in milliseconds, 1 or more. Default: 5000. */
  readonly timeout?: number | undefined;
  /** How many replicas must have a change before it is answered, 0 or more. Default: 0. */
  readonly replicas?: number | undefined;
  /** Whether a file that the engine has lost is made again, empty. Default: no, calls are EIO. */
  readonly recreate?: boolean | undefined;
  /** Whether locks of flock(2) and fcntl(2) hold across machines, or on each alone. Default: `shared`. */
  readonly locks?: 'shared' | 'local' | undefined;
  /** Where it will be mounted, for others who ask who uses the file. */
  readonly dir?: string | undefined;
  /** Told what a person should know, in one sentence each. Default: standard error. */
  readonly say?: ((sentence: string) => void) | undefined;
}

/**
 * One file in the RAM of many machines: the RAM file's handler over Redis 7 or newer, or Valkey, which hold the bytes. Needs the package
 * @redis/client.
 *
 * @example
 * ```ts
 * const root = ProcDirEntry.root();
 * await using jobs = await SharedRamFile.init(root, { on: 'redis://localhost', key: 'jobs' });
 * await using mounted = await mount(root, '/tmp/shared');
 * ```
 */
export class SharedRamFile implements AsyncDisposable {
  /** The file in its tree. */
  readonly entry: ProcDirEntry;
  /** Whether the engine had no such file before. */
  readonly isNew: boolean;
  #maxSize: number;
  readonly #session: Session;
  readonly #handler: SharedHandler;
  readonly #engine: EngineLook;

  private constructor(
    session: Session,
    handler: SharedHandler,
    entry: ProcDirEntry,
    { isNew, maxSize, engine }: { isNew: boolean; maxSize: number; engine: EngineLook },
  ) {
    this.#maxSize = maxSize;
    this.#engine = engine;
    this.#session = session;
    this.#handler = handler;
    this.entry = entry;
    this.isNew = isNew;
  }

  /**
   * Connects, makes the file in the engine if it isn't there, and adds it to `parent`, or to `procRoot` for null. Rejects with an Error with a
   * sentence when the engine can't be used; throws as procCreate does.
   */
  static async init(parent: ProcDirEntry | null, options: SharedRamFileOptions): Promise<SharedRamFile> {
    const { name = DEFAULT_NAME, atime = true, io = 'direct', timeout = DEFAULT_TIMEOUT } = options;
    const {
      locks = 'shared',
      replicas = 0,
      recreate = false,
      dir = '',
      say = complain,
      mode = DEFAULT_MODE,
    } = options;
    const { uid = process.getuid?.() ?? 0, gid = process.getgid?.() ?? 0 } = options;
    const target =
      typeof options.on === 'string' ? parseTarget(options.on) : { address: options.on, password: undefined };
    const login = { address: target.address, password: options.password ?? target.password };
    const key = checkKey(options.key);
    const engine = await checkEngine(login, key, { timeout, replicas, maxSize: options.maxSize });
    const session = new Session({ ...login, key, timeout, replicas, recreate, dir, say, who: self() });
    const max = Math.ceil((options.maxSize ?? engine.defaultSize) / PAGE_SIZE);
    const isNew = await session.begin({ max, mode, uid, gid }).catch((error: unknown) => {
      throw sentenceOf(login, error);
    });
    const handler =
      locks === 'shared' ? new LockingHandler(session, atime, machine()) : new SharedHandler(session, atime);
    try {
      const attr = await handler.getattr();
      const on = { address: login.address, key, replicas };
      const look = new EngineLook(session, on, { version: engine.version, max: attr.max });
      const maxSize = attr.max * PAGE_SIZE;
      const entry = procCreate(
        name,
        mode,
        parent,
        new ProcOps(handler, {
          cached: io === 'cached',
          mmap: io === 'cached',
          parallelWrites: true,
          uninterruptible: true,
        }),
      );
      if (io === 'cached') {
        const changed = () => entry.changed();
        session.onLink = session.onLoss = changed;
        handler.onChange = () => {
          changed();
          handler.changed();
        };
        await handler.listen();
      }
      return new SharedRamFile(session, handler, entry, { isNew, maxSize, engine: look });
    } catch (error) {
      await session.end();
      throw error;
    }
  }

  /** The most that the bytes may take, in bytes, as far as this process has heard: whole pages. */
  get maxSize(): number {
    return this.#maxSize;
  }

  /** Throws EINVAL when it takes more than it is to have. @internal */
  async change({ maxSize, readsMoveAtime, ...attributes }: FileChange): Promise<void> {
    if (readsMoveAtime !== undefined) this.#handler.readsMoveAtime = readsMoveAtime;
    const max = maxSize === undefined ? {} : { max: Math.ceil(maxSize / PAGE_SIZE) };
    const change = { ...attributes, ...max };
    if (Object.keys(change).length === 0) return;
    await this.#handler.setattr(change);
    this.#maxSize = (await this.#handler.getattr()).max * PAGE_SIZE;
    this.entry.changed();
  }

  /** Memory in use and allowed, in pages of `size` bytes. */
  async pages(): Promise<{ used: number; max: number; size: number }> {
    const { pages, max } = await this.#handler.getattr();
    return { used: pages, max, size: PAGE_SIZE };
  }

  /**
   * How it is with the engine, and what the file takes there and may take, in bytes, as far as that is heard within a moment, or was before.
   * @internal
   */
  async state(): Promise<{ engine: EngineStatus; used: number; most: number }> {
    const { status, pages, max } = await this.#engine.look();
    return { engine: status, used: pages * PAGE_SIZE, most: max * PAGE_SIZE };
  }

  /** What the engine says of it. @internal */
  attr(): Promise<SharedAttr> {
    return this.#handler.getattr();
  }

  /** Takes the file out of the tree, and leaves the engine, which keeps it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.entry[Symbol.dispose]();
    await this.#session.end();
  }
}

function complain(sentence: string): void {
  console.error(oneLine(`ramproc: ${sentence}`));
}

/** This process, for others who look who has the file. */
function self(): Record<string, unknown> {
  return { host: hostname(), pid: process.pid, machine: machine() };
}

/** The same for processes that see each other by the same numbers. */
export function machine(): string {
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  return `${boot} ${readlinkSync('/proc/self/ns/pid')}`;
}
