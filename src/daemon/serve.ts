import { join } from 'node:path';
import { claim } from '../mount/mount-point.ts';
import { ProcDirEntry } from '../proc-fs/proc-dir-entry.ts';
import { RustProcRamFile } from '../ram-file/module.ts';
import { mountAt } from '../sys/mountinfo.ts';
import { quote } from '../text/quote.ts';
import { reason } from '../text/reason.ts';
import { KernelMount } from '../transport/kernel/main-thread/kernel-mount.ts';
import type { Mount } from '../transport/mount.ts';
import type { Usage } from '../transport/usage.ts';
import { answers, type Served } from './answers.ts';
import { ControlServer } from './control/server.ts';
import { EndOnSignal } from './end-on-signal.ts';
import { fill, type Progress } from './fill.ts';
import type { Plan } from './plan.ts';
import { dropPrivileges } from './privileges.ts';
import { keepFromDumps } from './secret.ts';
import type { Transport } from './settings.ts';
import { Teardown } from './teardown.ts';
import { setTitle } from './title.ts';

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
export async function serve(dir: string, plan: Plan, starter: Starter): Promise<void> {
  setTitle(dir);
  if (plan.file.secret !== undefined) keepFromDumps();
  using claimed = claim(dir, plan.nonempty, starter.notice);
  const { file, root, teardown } = create(plan);
  const served: Served[] = [];
  await using control = new ControlServer(answers(served));
  using ending = new EndOnSignal(() => teardown.atOnce());
  try {
    dropPrivileges(plan);
    if (plan.from !== undefined) await fill(file, plan.from, starter.progress);
    const session = await ending.whileMounting(() => mountRoot(plan, root, claimed.dir, () => file.pages));
    claimed[Symbol.dispose]();
    listen(control, served, { plan, session, teardown, since: new Date() }, starter);
    starter.mounted({
      dir: session.dir,
      file: join(session.dir, plan.file.name),
      pid: process.pid,
      transport: plan.transport,
      maxSize: plan.file.maxSize,
    });
    await session.closed;
  } finally {
    await teardown.inSteps();
  }
}

/** Lets commands speak to this daemon about a mount. One that they can't is mounted all the same. */
function listen(
  control: ControlServer,
  served: Served[],
  mount: Omit<Served, 'device'>,
  { notice }: Starter,
) {
  try {
    const device = mountAt(mount.session.dir)?.device;
    if (device === undefined) return;
    served.push({ ...mount, device });
    control.listen(device);
  } catch (error) {
    notice(`No command can speak to the daemon of ${quote(mount.session.dir)}: ${reason(error)}.`);
  }
}

/** The tree with the file in it. The teardown is the seed's: the entry goes first, then the data. */
function create(plan: Plan) {
  const root = ProcDirEntry.root();
  const module = RustProcRamFile.init(root, plan.file);
  return { root, file: module.file, teardown: new Teardown(module.tearingDown()) };
}

/** The libfuse transport is loaded when it is asked for: it brings a library along. */
async function mountRoot(
  { transport, threads, record, mount }: Plan,
  root: ProcDirEntry,
  dir: string,
  usage: () => Usage,
): Promise<Mount> {
  if (transport === 'kernel') return KernelMount.mount(root, dir, { ...mount, usage, threads, record });
  const { LibfuseMount } = await import('../transport/libfuse/libfuse-mount.ts');
  return LibfuseMount.mount(root, dir, { ...mount, usage });
}
