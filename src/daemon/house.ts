import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { MountError } from '../mount/mount-error.ts';
import { claim } from '../mount/mount-point.ts';
import { manifest } from '../sys/manifest.ts';
import { mountAt } from '../sys/mountinfo.ts';
import { message } from '../text/message.ts';
import { quote } from '../text/quote.ts';
import { reason } from '../text/reason.ts';
import { size } from '../text/size.ts';
import type { ChannelInUse } from '../transport/kernel/channels.ts';
import type { Mount } from '../transport/mount.ts';
import { answers } from './answers.ts';
import { ControlServer } from './control/server.ts';
import { EndedBySignal, type EndOnSignal } from './end-on-signal.ts';
import { fill, type Progress } from './fill.ts';
import { checkHidesNothing } from './hidden.ts';
import { info } from './log.ts';
import { notify } from './notify.ts';
import type { Plan } from './plan.ts';
import { Served } from './served.ts';
import type { Transport } from './settings.ts';
import { setTitle } from './title.ts';

/** What a mount says of itself once it can be used. */
export interface Mounted {
  /** The directory, absolute. */
  readonly dir: string;
  /** The first RAM file's path. */
  readonly file?: string | undefined;
  /** All RAM files in it. */
  readonly files: readonly MountedFile[];
  /** What is loaded into it, those files among it. */
  readonly modules: readonly MountedModule[];
  /** The process that serves it. */
  readonly pid: number;
  readonly transport: Transport;
  /** What its requests come by over the kernel transport. */
  readonly channel?: ChannelInUse | undefined;
  /** The most memory that the first RAM file may take, in bytes: whole pages. */
  readonly maxSize?: number | undefined;
}

export interface MountedFile {
  readonly file: string;
  /** In bytes. */
  readonly maxSize: number;
}

export interface MountedModule {
  readonly id: string;
  /** What it added to the directory. */
  readonly entries: readonly string[];
}

/** Who started a mount, and wants to know how it goes. */
export interface Starter {
  readonly progress: Progress;
  /** Something that a person should know, in one sentence. */
  notice(message: string): void;
  /** Clients can open the file. Resolves when the mount may stay. */
  mounted(mounted: Mounted): Promise<void>;
}

/** How long clients that hold a file open may delay the end of a process that was told to end, in milliseconds. */
const GRACE = 500;

/** How long a daemon that goes on may be asked about what was unmounted, in milliseconds: who did that asks. */
const LINGER = 10_000;

/** All that a daemon serves. */
export class House implements AsyncDisposable {
  /** Resolves when the last directory is unmounted, and its memory given back. Rejects when that one couldn't go on being served. */
  readonly closed: Promise<void>;
  readonly #ending: EndOnSignal;
  readonly #control = new ControlServer(answers(this));
  readonly #all = new Set<Served>();
  /** Those that commands may ask about, in the order in which they were mounted. */
  readonly #known = new Set<Served>();
  #close: (failure?: unknown) => void = () => {};

  readonly #isOpen: boolean;
  #isOver = false;

  /** `isOpen`: whether other directories may be added by commands. */
  constructor(ending: EndOnSignal, isOpen: boolean) {
    this.#ending = ending;
    this.#isOpen = isOpen;
    this.closed = new Promise((closed, failed) => {
      this.#close = (failure) => {
        this.#isOver = true;
        if (failure === undefined) closed();
        else failed(failure);
      };
    });
    this.closed.catch(() => {});
  }

  /** What commands may ask about: what is mounted, and what was just unmounted. */
  get mounts(): Served[] {
    return [...this.#known];
  }

  /** Whether it serves other directories too: not beside a secret, what is to be saved, or code that isn't ours. */
  get joinable(): boolean {
    if (!this.#isOpen || this.#isOver || this.#ending.told !== undefined) return false;
    return [...this.#all].every(
      ({ plan, modules }) =>
        !plan.secret && plan.save === undefined && modules.every(({ file }) => file !== undefined),
    );
  }

  /**
   * Mounts a directory. `prepared` is called when all memory is there that is to be locked. Throws one sentence, with nothing left
   * of it, when it can't be mounted, and EndedBySignal when the process was told to end: see `end`.
   */
  async mount(dir: string, plan: Plan, starter: Starter, prepared = () => {}): Promise<void> {
    const { nonempty, from } = plan;
    using claimed = await this.#ending.orEnd(claim(dir, { nonempty, notice: starter.notice }));
    if (this.#isOver)
      throw new MountError(`Cannot mount on ${quote(dir)}: the daemon is about to end; try again.`);
    checkHidesNothing(claimed.dir);
    const served = new Served(plan);
    this.#all.add(served);
    try {
      for (const file of plan.files) await served.addFile(file, () => this.#ending.count);
      if (plan.shared !== undefined) await this.#ending.orEnd(served.addShared(plan.shared, claimed.dir));
      prepared();
      const [file] = served.files;
      if (from !== undefined && file !== undefined) {
        await this.#ending.orEnd(fill(file, from, told(starter.progress)));
      }
      for (const order of plan.modules) {
        await this.#ending.orEnd(served.load(order)).catch((error: unknown) => {
          throw cannotLoad(order.module, claimed.dir, error);
        });
      }
      // Not left halfway, which would leave a dead mount: who was told to end meanwhile ends after it.
      await served.mountOn(claimed);
    } catch (error) {
      this.#all.delete(served);
      await served.teardown.inSteps();
      // Those that were served meanwhile may be unmounted by now.
      if (this.#all.size === 0) this.#close(error);
      throw error;
    }
    void this.#follow(served);
    if (this.#ending.told !== undefined) throw this.#ending.told;
    claimed[Symbol.dispose]();
    try {
      setTitle(...this.#dirs());
      this.#listen(served, starter);
      served.keep(true);
      await this.#ending.orEnd(starter.mounted(about(served)));
    } catch (error) {
      // Nobody knows of it.
      served.keep(false);
      served.mount.unmount(true);
      throw error;
    }
    notify('READY=1', `MAINPID=${process.pid}`, `STATUS=Serving ${this.#dirs().map(quote).join(', ')}`);
    if (plan.verbose) info(`mounted ${describe(served)}`);
  }

  /** Unmounts all, and waits a while for who has a file open, whose data is gone. A mount that stays is said, and dead. */
  async end(signal: NodeJS.Signals): Promise<void> {
    notify('STOPPING=1', `STATUS=${signal}, unmounting`);
    const closed = [...this.#all].map(async ({ teardown, mounted }) => {
      void teardown.inSteps();
      if (mounted === undefined) return;
      unmount(mounted, signal);
      await mounted.closed.catch(() => {});
    });
    await Promise.race([Promise.all(closed), sleep(GRACE)]);
  }

  /** Gives all memory back before it returns. */
  atOnce(): void {
    for (const { teardown } of this.#all) teardown.atOnce();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#all].map(({ teardown }) => teardown.inSteps()));
    await this.#control[Symbol.asyncDispose]();
  }

  #dirs(): string[] {
    return [...this.#all].flatMap(({ mounted }) => mounted?.dir ?? []);
  }

  /** What is to be done when one is unmounted. */
  async #follow(served: Served): Promise<void> {
    let failure: unknown;
    try {
      await served.mount.closed.finally(() => {
        if (this.#all.size === 1) notify('STOPPING=1', 'STATUS=Giving memory back');
        return served.teardown.inSteps();
      });
    } catch (error) {
      failure = error;
    }
    if (served.plan.verbose) info(`${quote(served.mount.dir)} is unmounted`);
    this.#all.delete(served);
    if (this.#all.size === 0) this.#close(failure);
    else {
      setTitle(...this.#dirs());
      if (failure !== undefined) console.error(`ramproc: ${message(failure)}`);
    }
    await sleep(LINGER, undefined, { ref: false });
    served.listening?.[Symbol.dispose]();
    this.#known.delete(served);
  }

  /** Lets commands speak to this daemon about a mount. One that they can't is mounted all the same. */
  #listen(served: Served, { notice }: Starter): void {
    const { dir } = served.mount;
    try {
      const device = mountAt(dir)?.device;
      if (device === undefined) return;
      served.device = device;
      this.#known.add(served);
      served.listening = this.#control.listen(device);
    } catch (error) {
      notice(`No command can speak to the daemon of ${quote(dir)}: ${reason(error)}.`);
    }
  }
}

/** Progress that who started the process as a service sees too, each second. */
function told(progress: Progress): Progress {
  let next = 0;
  return (bytes, total) => {
    progress(bytes, total);
    if (performance.now() < next) return;
    next = performance.now() + 1000;
    notify(`STATUS=Filling, ${size(bytes)}${total === undefined ? '' : ` of ${size(total)}`}`);
  };
}

/** A sentence that says why a module isn't loaded. */
export function cannotLoad(module: string, dir: string, error: unknown): unknown {
  if (error instanceof EndedBySignal) return error;
  return new MountError(`Cannot load ${quote(module)} into ${quote(dir)}: ${message(error)}.`, {
    cause: error,
  });
}

function about({ mount, plan, modules, shared }: Served): Mounted {
  const loaded = modules.map(({ id, entries }) => ({ id, entries }));
  const all = shared === undefined ? plan.files : [{ name: shared.entry.name, maxSize: shared.maxSize }];
  const files = all.map(({ name, maxSize }) => ({ file: join(mount.dir, name), maxSize }));
  return {
    dir: mount.dir,
    ...files.at(0),
    files,
    modules: loaded,
    pid: process.pid,
    transport: plan.transport,
    channel: plan.channel,
  };
}

/** A mount in one line, for the log. */
function describe({ mount, plan }: Served): string {
  const files = plan.files.map(({ name, io, maxSize }) => `${quote(name)} (${io}, up to ${size(maxSize)})`);
  const channel = plan.channel === 'uring' ? ['io_uring'] : [];
  const options = [plan.transport, ...channel, `${plan.threads} threads`, ...plan.mount.words];
  return `${quote(mount.dir)} with ${files.join(', ')}: ${options.join(', ')}; ramproc ${manifest().version}, Node ${process.version}`;
}

function unmount(mount: Mount, signal: NodeJS.Signals): void {
  console.error(`ramproc: ${signal}, unmounting ${quote(mount.dir)}`);
  try {
    mount.unmount(true);
  } catch (error) {
    console.error(`ramproc: ${message(error)}`);
  }
}
