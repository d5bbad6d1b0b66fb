import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Claim, claim } from '../mount/mount-point.ts';
import { ProcDirEntry } from '../proc-fs/entries/entry.ts';
import { RustProcRamFile } from '../ram-file/module.ts';
import { mountAt } from '../sys/mountinfo.ts';
import { message } from '../text/message.ts';
import { quote } from '../text/quote.ts';
import { reason } from '../text/reason.ts';
import { KernelMount } from '../transport/kernel/main-thread/kernel-mount.ts';
import type { Mount } from '../transport/mount.ts';
import type { Usage } from '../transport/usage.ts';
import { answers, type Served } from './answers.ts';
import { ControlServer } from './control/server.ts';
import { EndOnSignal, endSignals } from './end-on-signal.ts';
import { fill, type Progress } from './fill.ts';
import { reopenLog } from './log.ts';
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
  /** The most memory that the file may take, in bytes: whole pages. */
  readonly maxSize: number;
}

/** Who started a mount, and wants to know how it goes. */
export interface Starter {
  readonly progress: Progress;
  /** Something that a person should know, in one sentence. */
  notice(message: string): void;
  /** Clients can open the file. Resolves when the mount may stay. */
  mounted(mounted: Mounted): Promise<void>;
}

/** How long clients that hold the file open may delay the end of a process that was told to end, in milliseconds. */
const GRACE = 500;

/**
 * Mounts the RAM file on `dir` and serves it in this process until it is unmounted. Throws one sentence, with nothing
 * left behind, when it can't be mounted; and EndedBySignal when the process was told to end, which it then must.
 */
export async function serve(dir: string, plan: Plan, foreground: boolean, starter: Starter): Promise<void> {
  setTitle(dir);
  if (plan.file.secret !== undefined) keepFromDumps();
  using claimed = await claim(dir, { nonempty: plan.nonempty, notice: starter.notice });
  const { file, root, teardown } = create(plan);
  const served: Served[] = [];
  await using control = new ControlServer(answers(served));
  const ending = new EndOnSignal(handleHangup(plan, foreground));
  // Also when an exception ends the process.
  process.on('exit', () => teardown.atOnce());
  let mount: Mount | undefined;
  try {
    dropPrivileges(plan);
    if (plan.from !== undefined) await ending.orEnd(fill(file, plan.from, starter.progress));
    // Not left halfway, which would leave a dead mount: who was told to end meanwhile ends after it.
    mount = await mountRoot(plan, claimed, root, () => file.pages);
    if (ending.told !== undefined) throw ending.told;
    claimed[Symbol.dispose]();
    listen(control, served, { plan, mount, teardown, since: new Date() }, starter);
    await ending.orEnd(
      starter.mounted({
        dir: mount.dir,
        file: join(mount.dir, plan.file.name),
        pid: process.pid,
        transport: plan.transport,
        maxSize: plan.file.maxSize,
      }),
    );
    await ending.orEnd(mount.closed);
  } catch (error) {
    const { told } = ending;
    if (told === undefined) throw error;
    if (mount !== undefined) {
      void teardown.inSteps();
      await unmount(mount, told.signal);
    }
    throw told;
  } finally {
    await teardown.inSteps();
  }
}

/** Which signals end a mount. A terminal that hangs up ends one that speaks to it; else it is how to begin a new log. */
function handleHangup({ log }: Plan, foreground: boolean): readonly NodeJS.Signals[] {
  if (foreground && log === undefined) return endSignals;
  process.on('SIGHUP', () => {
    if (log !== undefined) reopenLog(log);
  });
  return endSignals.filter((signal) => signal !== 'SIGHUP');
}

/** Unmounts and waits a while for who has the file open, whose data is gone. A mount that stays is said, and dead. */
async function unmount(mount: Mount, signal: NodeJS.Signals): Promise<void> {
  console.error(`ramproc: ${signal}, unmounting ${quote(mount.dir)}`);
  try {
    mount.unmount(true);
  } catch (error) {
    console.error(`ramproc: ${message(error)}`);
  }
  await Promise.race([mount.closed.catch(() => {}), sleep(GRACE)]);
}

/** Lets commands speak to this daemon about a mount. One that they can't is mounted all the same. */
function listen(
  control: ControlServer,
  served: Served[],
  serving: Omit<Served, 'device'>,
  { notice }: Starter,
) {
  try {
    const device = mountAt(serving.mount.dir)?.device;
    if (device === undefined) return;
    served.push({ ...serving, device });
    control.listen(device);
  } catch (error) {
    notice(`No command can speak to the daemon of ${quote(serving.mount.dir)}: ${reason(error)}.`);
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
  claimed: Claim,
  root: ProcDirEntry,
  usage: () => Usage,
): Promise<Mount> {
  if (transport === 'kernel') return KernelMount.mountOn(claimed, root, { ...mount, usage, threads, record });
  const { LibfuseMount } = await import('../transport/libfuse/libfuse-mount.ts');
  return LibfuseMount.mountOn(claimed, root, { ...mount, usage });
}
