import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Claim } from '../mount/mount-point.ts';
import { ProcDirEntry } from '../proc-fs/entries/entry.ts';
import { parseParameters } from '../proc-fs/module/parameters.ts';
import { RustProcRamFile } from '../ram-file/module.ts';
import type { RamFile } from '../ram-file/ram-file.ts';
import type { SharedRamFile } from '../shared-file/module.ts';
import { ownModule } from '../sys/own-module.ts';
import { oneLine } from '../text/one-line.ts';
import { quote } from '../text/quote.ts';
import { reason } from '../text/reason.ts';
import { KernelMount } from '../transport/kernel/main-thread/kernel-mount.ts';
import type { Mount } from '../transport/mount.ts';
import type { TraceEvent } from '../transport/trace.ts';
import type { Usage } from '../transport/usage.ts';
import type { ModuleOrder } from './control/module-order.ts';
import { info } from './log.ts';
import { importModule } from './modules/import.ts';
import { Loaded } from './modules/loaded.ts';
import { ramFileModule, valuesOf } from './modules/ram-file.ts';
import { SharedFile, sharedFileModule, sharedOptionsOf, sharedValuesOf } from './modules/shared-file.ts';
import type { FilePlan, Plan } from './plan.ts';
import { claimTarget, savedAtEnd } from './save.ts';
import type { SharedPlan } from './shared-plan.ts';
import { Teardown, together } from './teardown.ts';

/** Has workers resolve as this thread does what modules import. */
const HOOK = 'daemon/modules/hook';

/** A directory that a daemon serves, and what is loaded into it. */
export class Served {
  readonly plan: Plan;
  readonly since = new Date();
  /** The tree that is mounted. */
  readonly root = ProcDirEntry.root();
  /** Of all that is loaded. Who comes later gets EBUSY. */
  readonly teardown: Teardown;
  /** Set once it is mounted: `major:minor`, as in /proc/PID/mountinfo. */
  device: string | undefined;
  /** Set when commands can ask about it. Disposing it ends that. */
  listening: Disposable | undefined;
  readonly #modules = new Map<string, Loaded>();
  /** Of what is being unloaded. */
  readonly #leaving = new Set<Teardown>();
  #loading: Promise<unknown> = Promise.resolve();
  #mount: Mount | undefined;
  #keep: (isKept: boolean) => void = () => {};

  constructor(plan: Plan) {
    this.plan = plan;
    this.teardown = new Teardown(this.#tearingDown());
  }

  /** What is loaded, in that order. */
  get modules(): Loaded[] {
    return [...this.#modules.values()];
  }

  /** The RAM files among it. */
  get files(): RamFile[] {
    return this.modules.flatMap(({ file }) => file ?? []);
  }

  get mounted(): Mount | undefined {
    return this.#mount;
  }

  /** Once it is mounted. */
  get mount(): Mount {
    if (this.#mount === undefined) throw new Error('it is not mounted yet');
    return this.#mount;
  }

  /** Loads a RAM file. Throws as procCreate does. */
  async addFile(file: FilePlan, told: () => number): Promise<void> {
    const id = this.#newId(ramFileModule.name);
    const { save: path } = this.plan;
    const claim = path === undefined ? undefined : claimTarget(path);
    const init = (root: ProcDirEntry) => {
      const ram = RustProcRamFile.init(root, file);
      const mode = () => ram.file.mode;
      if (path !== undefined && claim !== undefined) {
        const saved = savedAtEnd({ path, name: file.name, mode, claim, told });
        this.#keep = (isKept) => {
          ram.last = isKept ? saved : undefined;
        };
      }
      return ram;
    };
    this.#modules.set(id, await Loaded.load(id, ramFileModule, valuesOf(file), this.root, init));
  }

  /** Loads a module, once those before it are loaded. Throws an Error with the last part of a sentence, with nothing left of it. */
  load(order: ModuleOrder): Promise<Loaded> {
    const loaded = this.#loading.then(() => this.#load(order));
    this.#loading = loaded.catch(() => {});
    return loaded;
  }

  async #load(order: ModuleOrder): Promise<Loaded> {
    const { module } = await importModule(order);
    const parameters = parseParameters(module.parameters, order.parameters);
    if (this.teardown.hasBegun) throw new Error('it is being unmounted');
    const id = this.#newId(module.name);
    const log = (text: string) => info(oneLine(`${id}: ${text}`));
    const init = (root: ProcDirEntry) => module.init({ root, parameters, log });
    const loaded = await Loaded.load(id, module, parameters, this.root, init).catch((error: unknown) => {
      console.error(error);
      throw new Error(`its init failed: ${reason(error)}${lineOf(error, order)}`, { cause: error });
    });
    this.#modules.set(id, loaded);
    if (!this.teardown.hasBegun) return loaded;
    await loaded.teardown.inSteps();
    throw new Error('it is being unmounted');
  }

  /** What is loaded under this name. Throws an Error with the last part of a sentence. */
  module(id: string): Loaded {
    const loaded = this.#modules.get(id);
    if (loaded !== undefined) return loaded;
    const all = [...this.#modules.keys()];
    const has = all.length === 0 ? 'nothing is loaded' : `it has ${new Intl.ListFormat('en').format(all)}`;
    throw new Error(`no module ${quote(id)} is loaded; ${has}`);
  }

  /** Has a module's teardown begin, after which it is loaded no more. Throws an Error with the last part of a sentence. */
  unload(id: string): Teardown {
    const { teardown } = this.module(id);
    this.#modules.delete(id);
    this.#leaving.add(teardown);
    void teardown
      .inSteps()
      .finally(() => this.#leaving.delete(teardown))
      .catch(() => {});
    return teardown;
  }

  /** Loads a file in an engine. Throws an Error with a sentence, and as procCreate does. */
  async addShared(plan: SharedPlan, dir: string): Promise<void> {
    const id = this.#newId(sharedFileModule.name);
    const init = (root: ProcDirEntry) => SharedFile.init(root, sharedOptionsOf(plan, dir));
    this.#modules.set(id, await Loaded.load(id, sharedFileModule, sharedValuesOf(plan), this.root, init));
  }

  /** The file in an engine, if there is one. */
  get shared(): SharedRamFile | undefined {
    return this.modules.find(({ shared }) => shared !== undefined)?.shared;
  }

  /** Mounts it on a claimed directory. The libfuse transport is loaded when it is asked for: it brings a library along. */
  async mountOn(claimed: Claim): Promise<Mount> {
    const { transport, channel, threads, record, mount, debug, secret, save } = this.plan;
    const trace = debug ? (event: TraceEvent) => info(String(event)) : undefined;
    const usage = () => this.shared?.pages() ?? this.#usage();
    if (transport === 'kernel') {
      const wants = { mmap: this.plan.shared?.io !== 'direct' };
      // Whether there is room to lock what a secret's threads take is known at the mount, and not later.
      const alone = !secret;
      const options = {
        ...mount,
        usage,
        channel,
        threads,
        record,
        trace,
        hook: ownModule(HOOK),
        wants,
        alone,
      };
      this.#mount = await KernelMount.mountOn(claimed, this.root, options);
      // At the end the kernel has to write back what clients have stored in mappings, to a thread that doesn't wait for it.
      if (save !== undefined) void this.#mount.hire?.();
    } else {
      const { LibfuseMount } = await import('../transport/libfuse/libfuse-mount.ts');
      this.#mount = await LibfuseMount.mountOn(claimed, this.root, { ...mount, usage, trace });
    }
    return this.#mount;
  }

  /**
   * Has what its file holds be saved at its end, or not. Only where somebody knows of the mount: what is filled only in part isn't to
   * take the place of what was saved before.
   */
  keep(isKept: boolean): void {
    this.#keep(isKept);
  }

  #newId(name: string): string {
    for (let count = 1; ; count++) {
      const id = count === 1 ? name : `${name}#${count}`;
      if (!this.#modules.has(id)) return id;
    }
  }

  /** What df shows: of all files together. */
  #usage(): Usage {
    const all = this.files.map(({ pages }) => pages);
    const sum = (of: (pages: Usage) => number) => all.reduce((total, pages) => total + of(pages), 0);
    return { used: sum(({ used }) => used), max: sum(({ max }) => max), size: all.at(0)?.size ?? 4096 };
  }

  *#tearingDown() {
    yield* together([...this.modules.reverse().map(({ teardown }) => teardown), ...this.#leaving]);
  }
}

/** Where in a module's file an exception comes from, for whoever writes it. */
function lineOf(error: unknown, { specifier }: ModuleOrder): string {
  if (!(error instanceof Error) || !specifier.startsWith('file:')) return '';
  const path = fileURLToPath(specifier);
  const at = error.stack?.split('\n').find((line) => line.includes(path) || line.includes(specifier));
  const [, line] = at?.match(/:(\d+):\d+\)?$/) ?? [];
  return line === undefined ? '' : ` (${basename(path)}, line ${line})`;
}
