import type { Claim } from '../mount/mount-point.ts';
import { ProcDirEntry } from '../proc-fs/entries/entry.ts';
import { RustProcRamFile } from '../ram-file/module.ts';
import type { RamFile } from '../ram-file/ram-file.ts';
import { KernelMount } from '../transport/kernel/main-thread/kernel-mount.ts';
import type { Mount } from '../transport/mount.ts';
import type { TraceEvent } from '../transport/trace.ts';
import type { Usage } from '../transport/usage.ts';
import { info } from './log.ts';
import { Loaded } from './modules/loaded.ts';
import { ramFileModule, valuesOf } from './modules/ram-file.ts';
import type { FilePlan, Plan } from './plan.ts';
import { Teardown, together } from './teardown.ts';

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
  #mount: Mount | undefined;

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

  /** Once it is mounted. */
  get mount(): Mount {
    if (this.#mount === undefined) throw new Error('it is not mounted yet');
    return this.#mount;
  }

  /** Loads a RAM file. Throws as procCreate does. */
  async addFile(file: FilePlan): Promise<void> {
    const id = this.#newId(ramFileModule.name);
    const init = (root: ProcDirEntry) => RustProcRamFile.init(root, file);
    this.#modules.set(id, await Loaded.load(id, ramFileModule, valuesOf(file), this.root, init));
  }

  /** Mounts it on a claimed directory. The libfuse transport is loaded when it is asked for: it brings a library along. */
  async mountOn(claimed: Claim): Promise<Mount> {
    const { transport, threads, record, mount, debug } = this.plan;
    const trace = debug ? (event: TraceEvent) => info(String(event)) : undefined;
    const usage = () => this.#usage();
    if (transport === 'kernel') {
      const options = { ...mount, usage, threads, record, trace, wants: { mmap: true } };
      this.#mount = await KernelMount.mountOn(claimed, this.root, options);
    } else {
      const { LibfuseMount } = await import('../transport/libfuse/libfuse-mount.ts');
      this.#mount = await LibfuseMount.mountOn(claimed, this.root, { ...mount, usage, trace });
    }
    return this.#mount;
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
    yield* together(this.modules.reverse().map(({ teardown }) => teardown));
  }
}
