import { Command } from 'commander';
import { Daemon } from '../daemon/control/client.ts';
import { NoAnswer } from '../daemon/control/exchange.ts';
import type { UnmountedInput } from '../daemon/control/messages.ts';
import { findDirectory, mountedOn } from '../mount/directory.ts';
import { holders } from '../mount/holders.ts';
import { obstacle } from '../mount/identity.ts';
import { MountError } from '../mount/mount-error.ts';
import { FSTYPE } from '../mount/options.ts';
import { unmountFuse } from '../mount/unmount.ts';
import type { Freed } from '../ram-file/ram-buffer.ts';
import { EBUSY, Errno } from '../sys/errno.ts';
import { type MountInfo, mounts } from '../sys/mountinfo.ts';
import { quote } from '../text/quote.ts';
import { reason } from '../text/reason.ts';
import { addLists } from './help.ts';
import { addFlags, type Flags } from './option.ts';
import { unmountRows } from './options.ts';
import { progressBar } from './progress.ts';

export const unmountCommand = new Command('unmount')
  .alias('umount')
  .summary('unmount a directory')
  .description('Unmounts a directory that "ramproc mount" mounted. Its data is gone then.')
  .argument('<dir>', 'the directory')
  .action(run);
addFlags(unmountCommand, unmountRows);
addLists(unmountCommand, {
  'Examples:': [
    ['ramproc unmount /tmp/ram', 'says who still uses it, if somebody does'],
    ['ramproc unmount --lazy /tmp/ram', 'who has it open keeps it, nobody else can open it'],
    ['ramproc unmount --force /tmp/ram', 'the data is taken; who has it open gets EBUSY'],
  ],
});

async function run(
  dir: string,
  { lazy = false, force = false, wait = true }: Flags<typeof unmountRows>,
): Promise<void> {
  const mount = await find(dir);
  const daemon = await Daemon.of(mount).catch(noAnswer);
  using bar = progressBar('giving back');
  const progress = ({ bytes, total }: Freed) => bar.show(bytes, total);
  const taken = force && (await forceTeardown(mount, daemon, progress));
  try {
    unmountFuse(mount, { lazy: lazy || force, cut: force && !taken });
  } catch (error) {
    throw isBusy(error) ? busy(mount) : error;
  }
  await finish(mount, daemon, { lazy: lazy || force, wait }, progress);
}

/** An answer, or why there is none. */
function noAnswer(error: unknown): NoAnswer {
  if (error instanceof NoAnswer) return error;
  throw error;
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
    const uid = process.geteuid?.();
    if (uid !== 0 && uid !== ours.owner) {
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

/** Has the daemon take the data, before anybody else may come to use it. Returns whether it did. */
async function forceTeardown(
  mount: MountInfo,
  daemon: Daemon | NoAnswer,
  progress: (freed: Freed) => void,
): Promise<boolean> {
  const answer =
    daemon instanceof NoAnswer ? daemon : await daemon.ask('teardown', {}, progress).catch(noAnswer);
  if (!(answer instanceof NoAnswer)) return true;
  console.error(
    `ramproc: The daemon of ${quote(mount.dir)} did not take the data (${answer.message}); cutting it off.`,
  );
  return false;
}

/** Has the daemon give the memory back, now that it is unmounted. */
async function finish(
  { dir }: MountInfo,
  daemon: Daemon | NoAnswer,
  input: UnmountedInput,
  progress: (freed: Freed) => void,
): Promise<void> {
  const answer =
    daemon instanceof NoAnswer ? daemon : await daemon.ask('unmounted', input, progress).catch(noAnswer);
  if (!(answer instanceof NoAnswer)) {
    if (answer.elsewhere && !input.lazy) {
      console.error(
        `ramproc: ${quote(dir)} is unmounted here and lives on elsewhere, in another mount namespace or by a bind mount.`,
      );
    }
    // A daemon that has ended has given back all that it had.
  } else if (answer.kind !== 'none' && answer.kind !== 'gone') {
    console.error(
      `ramproc: ${quote(dir)} is unmounted, but whether its memory is given back is not known: ${answer.message}.`,
    );
  }
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
