import { Command } from 'commander';
import { Daemon } from '../daemon/control/client.ts';
import { NoAnswer } from '../daemon/control/exchange.ts';
import type { Question, Questions } from '../daemon/control/messages.ts';
import { findDirectory, mountedOn } from '../mount/directory.ts';
import { elsewhere, type Place, stillThere } from '../mount/elsewhere.ts';
import { holders } from '../mount/holders.ts';
import { obstacle } from '../mount/identity.ts';
import { MountError } from '../mount/mount-error.ts';
import { FSTYPE } from '../mount/options.ts';
import { Server } from '../mount/serving.ts';
import { unmountFuse } from '../mount/unmount.ts';
import type { Freed } from '../ram-file/give-back.ts';
import { EBUSY, Errno } from '../sys/errno.ts';
import { type MountInfo, mounts } from '../sys/mountinfo.ts';
import { oneLine } from '../text/one-line.ts';
import { quote } from '../text/quote.ts';
import { reason } from '../text/reason.ts';
import { ExitCode } from './exit-code.ts';
import { fail } from './failure.ts';
import { addLists } from './help.ts';
import { addFlags, type Flags } from './option.ts';
import { unmountRows } from './options.ts';
import { progressBar } from './progress.ts';
import { sentence, type Unmounted } from './unmounted.ts';
import { UsageError } from './usage-error.ts';

export const unmountCommand = new Command('unmount')
  .summary('unmount a directory')
  .description(
    'Unmounts what "ramproc mount" mounted, and returns when its memory is given back. Its data is gone then.',
  )
  .argument('[dir...]', 'the directories, one after the other')
  .action(run);
addFlags(unmountCommand, unmountRows);
addLists(unmountCommand, {
  'Examples:': [
    ['ramproc unmount /tmp/ram', 'says who still uses it, if somebody does'],
    ['ramproc unmount --all', 'each that you mounted, as root each, the last one first'],
    ['ramproc unmount --lazy /tmp/ram', 'who has it open keeps it, nobody else can open it'],
    ['ramproc unmount --force /tmp/ram', 'the data is taken; who has it open gets EBUSY'],
  ],
});

type Options = Flags<typeof unmountRows>;

async function run(dirs: readonly string[], { all = false, ...flags }: Options): Promise<void> {
  if (all && dirs.length > 0) {
    throw new UsageError('Cannot unmount all and a directory: leave out --all, or the directory.');
  }
  if (!all && dirs.length === 0) throw new UsageError("Cannot unmount: missing required argument 'dir'.");
  // Each is tried, whatever became of those before.
  if (all) for (const mount of allOurs()) await attemptTo(() => unmountAndSay(mount, flags), flags);
  else for (const dir of dirs) await attemptTo(async () => unmountAndSay(await find(dir), flags), flags);
}

async function attemptTo(unmountOne: () => Promise<void>, { json = false }: Options): Promise<void> {
  try {
    await unmountOne();
  } catch (error) {
    fail(error, json);
  }
}

/** Unmounts, and says what a person should know of it. Throws a MountError when it can't be. */
export async function unmountAndSay(
  mount: MountInfo,
  { json = false, verbose = false, ...flags }: Options,
): Promise<void> {
  const done = await unmount(mount, flags);
  const said = sentence(done) ?? (verbose ? `${quote(done.dir)} is unmounted.` : undefined);
  if (said !== undefined) console.error(`ramproc: ${said}`);
  if (done.status === 'unsaved') process.exitCode = ExitCode.Failure;
  if (json) console.log(oneLine(JSON.stringify(done)));
}

/** Each mount of ours that this user may unmount, those in others and over others first. */
function allOurs(): MountInfo[] {
  return mounts()
    .filter((mount) => mount.type === FSTYPE && mayUnmount(mount))
    .toReversed();
}

function mayUnmount({ owner }: MountInfo): boolean {
  const uid = process.geteuid?.();
  return uid === 0 || uid === owner;
}

/** The mount of ours on a directory, which this user may unmount, and which no other is in the way of. */
async function find(dir: string): Promise<MountInfo> {
  const failure = `Cannot unmount ${quote(dir)}`;
  try {
    const found = await findDirectory(dir);
    const ours =
      mountedOn(found)?.type === FSTYPE
        ? found.mount
        : mounts().find(({ dir: at, type }) => at === found.path && type === FSTYPE);
    if (ours === undefined) throw new Error('it is not mounted by ramproc');
    if (!mayUnmount(ours)) {
      throw new Error(`user ${ours.owner} mounted it, and only that user and root may unmount it`);
    }
    const inTheWay = obstacle(ours);
    if (inTheWay !== undefined) throw new Error(inTheWay);
    return ours;
  } catch (error) {
    const why = reason(error, '"findmnt -t fuse.ramproc" lists what is mounted');
    throw new MountError(`${failure}: ${why}.`, { cause: error });
  }
}

/** How long to wait for a daemon that is stopped, in milliseconds: it may just go on. */
const STOPPED = 100;

/** Unmounts it. Throws a MountError when it can't be. */
async function unmount(
  mount: MountInfo,
  { lazy = false, force = false, wait = true }: Options,
): Promise<Unmounted> {
  const places = elsewhere(mount);
  using server = Server.of(mount);
  const daemon = await Daemon.of(mount, server?.isStopped ? STOPPED : undefined).catch(noAnswer);
  using bar = progressBar('giving back');
  const progress = ({ bytes, total }: Freed) => bar.show(bytes, total);
  const taken = force && (await forceTeardown(mount, daemon, progress));
  try {
    unmountFuse(mount, { lazy: lazy || force, cut: force && !taken });
  } catch (error) {
    throw isBusy(error) ? busy(mount) : error;
  }
  const left = stillThere(places, mount.device);
  const about = {
    dir: mount.dir,
    pid: server?.pid,
    elsewhere: left.length === 0 ? undefined : left.map(({ id: _, ...place }) => place),
  };
  const secret = isSecret(daemon, mount);
  // Who has a secret open may keep it, but nobody is to open it elsewhere.
  const keep = (lazy || force) && !(secret && left.length > 0);
  const answer = await ask(daemon, 'unmounted', { lazy: keep, wait }, progress);
  if (answer instanceof NoAnswer) {
    const seen = await seeFromOutside(answer, server, { lazy, wait, left });
    return { ...about, ...seen };
  }
  if (answer.unsaved !== undefined) return { ...about, status: 'unsaved', reason: answer.unsaved };
  if (!answer.elsewhere) return { ...about, status: wait ? 'ended' : 'ending' };
  if (taken || (secret && !keep)) return { ...about, status: 'taken' };
  return { ...about, status: lazy && left.length === 0 ? 'open' : 'elsewhere' };
}

/** Has the daemon take the data, before anybody else may come to use it. Returns whether it did. */
async function forceTeardown(
  mount: MountInfo,
  daemon: Daemon | NoAnswer,
  progress: (freed: Freed) => void,
): Promise<boolean> {
  const answer = await ask(daemon, 'teardown', {}, progress);
  if (!(answer instanceof NoAnswer)) return true;
  console.error(
    `ramproc: The daemon of ${quote(mount.dir)} did not take the data (${answer.message}); cutting it off.`,
  );
  return false;
}

/** An answer, or why there is none. */
function noAnswer(error: unknown): NoAnswer {
  if (error instanceof NoAnswer) return error;
  throw error;
}

async function ask<Q extends Question>(
  daemon: Daemon | NoAnswer,
  question: Q,
  input: Questions[Q]['input'],
  progress: (value: Questions[Q]['progress']) => void,
): Promise<Questions[Q]['answer'] | NoAnswer> {
  return daemon instanceof NoAnswer ? daemon : daemon.ask(question, input, progress).catch(noAnswer);
}

function isSecret(daemon: Daemon | NoAnswer, { device }: MountInfo): boolean {
  if (daemon instanceof NoAnswer) return false;
  return daemon.hello.mounts.some((one) => one.device === device && one.secret);
}

/** How long a daemon that doesn't say how far it is may take to end, in milliseconds. */
const PATIENCE = 60_000;

/** What became of a mount whose daemon does not say it: it may be a program's own, dead, of an older version, or stuck. */
async function seeFromOutside(
  { kind, message }: NoAnswer,
  server: Server | undefined,
  { lazy, wait, left }: { lazy: boolean; wait: boolean; left: readonly Place[] },
): Promise<Pick<Unmounted, 'status' | 'reason'>> {
  if (kind === 'silent' || kind === 'refused') return { status: 'unknown', reason: message };
  if (left.length > 0) return { status: 'elsewhere' };
  if (server === undefined)
    return kind === 'unreachable' ? { status: 'unknown', reason: message } : { status: 'ended' };
  if (server.connected ?? lazy) return { status: lazy ? 'open' : 'elsewhere' };
  if (!server.isCommand) return { status: 'ended' };
  if (!wait) return { status: 'ending' };
  if (await server.end(PATIENCE)) return { status: 'ended' };
  const why = server.isStopped ? 'is stopped' : 'does not end';
  return { status: 'unknown', reason: `its daemon, process ${server.pid}, ${why}` };
}

function isBusy(error: unknown): boolean {
  if (!(error instanceof MountError)) return false;
  return error.cause instanceof Errno ? error.cause.errno === EBUSY : /busy/i.test(error.message);
}

function busy(mount: MountInfo): MountError {
  const who = holders(mount).map(({ pid, command }) => `process ${pid} (${command})`);
  const by = who.length > 0 ? who.join(', ') : 'a process that you may not see';
  return new MountError(
    `Cannot unmount ${quote(mount.dir)}: it is in use by ${by}; end that use, or add --lazy or --force.`,
  );
}
