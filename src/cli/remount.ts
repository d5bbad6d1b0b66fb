import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { Daemon } from '../daemon/control/client.ts';
import { NoAnswer } from '../daemon/control/exchange.ts';
import type { RemountAnswer, RemountInput } from '../daemon/control/messages.ts';
import type { Settings } from '../daemon/settings.ts';
import { isRoot } from '../mount/access.ts';
import { findDirectory } from '../mount/directory.ts';
import { changedFlags, flagsOfMount, remountFuse } from '../mount/remount.ts';
import { Server } from '../mount/serving.ts';
import { addressText, parseTarget } from '../shared-file/address.ts';
import { flagsKeepAtime } from '../sys/mount.ts';
import type { MountInfo } from '../sys/mountinfo.ts';
import { attempt } from '../sys/processes.ts';
import { raiseLockable } from '../sys/rlimit.ts';
import { oneLine } from '../text/one-line.ts';
import { quote } from '../text/quote.ts';
import { withAbsolutePaths } from './absolute.ts';
import { orFailure, ourMountOn } from './ask.ts';
import { addLists } from './help.ts';
import { addFlags, type Flags } from './option.ts';
import { remountRows } from './options.ts';

export const remountCommand = new Command('remount')
  .summary('change a mount: sizes, modes, owners, read-only')
  .description(
    "Changes what can be changed of a directory that is mounted: how much its files may take, their modes and owners, and, as root, flags such as ro. What is not said stays. What can't be changed may be said as it is, as lines of fstab do.",
  )
  .argument('<dir>', 'the directory')
  .action(run);
addFlags(remountCommand, remountRows);
addLists(remountCommand, {
  'Examples:': [
    ['ramproc remount /tmp/ram -s 2G', 'its file may take 2 GiB from now on'],
    ['ramproc remount /tmp/ram --file a=1G --file b:0600', 'of several files, those that are named'],
    ['ramproc remount /tmp/ram -o ro', 'read-only, once nobody has a file open for writing; as root'],
    ['mount -o remount,max_size=2G /tmp/ram', 'the same by mount(8), as root'],
  ],
});

async function run(
  dir: string,
  { options, json = false, ...flags }: Flags<typeof remountRows>,
): Promise<void> {
  await remountOn(dir, { ...options, ...flags }, { json });
}

/** How to say it. */
interface Manner {
  readonly json?: boolean;
  readonly fake?: boolean;
}

/** Changes a mount, or, when something of it can't be, nothing of it. */
export async function remountOn(
  dir: string,
  { words = [], ...said }: Settings,
  { json = false, fake = false }: Manner,
): Promise<void> {
  const failure = `Cannot remount ${quote(dir)}`;
  await orFailure(failure, async () => {
    const mount = ourMountOn(await findDirectory(dir));
    if (mount === undefined) throw new Error('it is not mounted by ramproc; "ramproc list" shows what is');
    const before = flagsOfMount(mount);
    const flags = changedFlags(before, words);
    const input = inputOf(mount, said, before, flags);
    const daemon = await daemonFor(mount, input);
    await daemon?.ask('remount', { ...input, dry: true });
    if (fake) return;
    if (flags !== before) remountFuse(mount, flags);
    try {
      const answer = daemon && (await change(mount, daemon, input));
      if (json) console.log(oneLine(JSON.stringify({ dir: mount.dir, ...answer })));
    } catch (error) {
      if (flags !== before) attempt(() => remountFuse(mount, before));
      throw error;
    }
  });
}

/** What the daemon is told. */
function inputOf(mount: MountInfo, said: Settings, before: number, flags: number): RemountInput {
  // These are of how it was mounted, and nothing that it has now.
  const { remount: _, join, nonempty, passwordFile, restore, allowOther, setuid, on, ...settings } = said;
  if (setuid !== undefined && setuid.uid !== mount.owner) {
    throw new Error(`"-o setuid=${setuid.name}" can't be: user ${mount.owner} has mounted it; leave it out`);
  }
  const atime = flagsKeepAtime(flags);
  return {
    settings: {
      ...withAbsolutePaths(settings),
      ...(on === undefined ? {} : { on: addressText(parseTarget(on).address) }),
      // A program's own mount has nobody who could be asked.
      ...(allowOther && !mount.options.includes('allow_other') ? { allowOther } : {}),
    },
    readsMoveAtime: atime === flagsKeepAtime(before) ? undefined : atime,
  };
}

/** Who serves it. Where there is nothing to change for a daemon, there need be none. */
async function daemonFor(
  mount: MountInfo,
  { settings, readsMoveAtime }: RemountInput,
): Promise<Daemon | undefined> {
  try {
    return await Daemon.of(mount);
  } catch (error) {
    const isNeeded = Object.keys(settings).length > 0 || readsMoveAtime !== undefined;
    if (isNeeded || !(error instanceof NoAnswer)) throw error;
    return undefined;
  }
}

async function change(mount: MountInfo, daemon: Daemon, input: RemountInput): Promise<RemountAnswer> {
  const { maxSize }: Settings = input.settings;
  const isSecret = daemon.hello.mounts.some(({ device, secret }) => device === mount.device && secret);
  if (isSecret && maxSize !== undefined && isRoot()) allowToLock(mount, maxSize);
  return await daemon.ask('remount', input);
}

/** Root may lock what it wants, and its daemon has dropped that right. */
function allowToLock(mount: MountInfo, bytes: number): void {
  using server = Server.of(mount);
  if (server === undefined) return;
  const { pid } = server;
  const [, locked = 0] =
    attempt(() => readFileSync(`/proc/${pid}/status`, 'utf8'))?.match(/^VmLck:\s*(\d+) kB$/m) ?? [];
  attempt(() => raiseLockable(pid, Number(locked) * 1024 + bytes));
}
