import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { defaultLog } from '../daemon/log.ts';
import { plan } from '../daemon/plan.ts';
import type { Settings } from '../daemon/settings.ts';
import { leavePassword, passwordFor } from '../daemon/shared-password.ts';
import { takeSource } from '../daemon/source.ts';
import { startInBackground, startInForeground } from '../daemon/start.ts';
import { raiseLimits } from '../daemon/surroundings.ts';
import { MountError } from '../mount/mount-error.ts';
import { closeAllOnExec } from '../sys/descriptor.ts';
import { ownModule } from '../sys/own-module.ts';
import { becomeUser, type User } from '../sys/users.ts';
import { quote } from '../text/quote.ts';
import { reason } from '../text/reason.ts';
import { absolute, withAbsolutePaths } from './absolute.ts';
import { cannotMount } from './failure.ts';
import { addLists } from './help.ts';
import { addFlags, type Flags } from './option.ts';
import { mountOptionItems, mountRows } from './options.ts';
import { terminal } from './terminal.ts';

export const mountCommand = new Command('mount')
  .summary('mount a directory with a file in it that is backed by RAM alone')
  .description(
    'Mounts a directory like /proc with one file in it, which works like a regular file and is backed by RAM alone.',
  )
  .argument('<dir>', 'the directory to mount on; it must exist and be empty')
  .action(run);
addFlags(mountCommand, mountRows);
addLists(mountCommand, {
  'Options of -o:': mountOptionItems(),
  'Examples:': [
    ['ramproc mount /tmp/ram', 'returns when the file can be used'],
    ['ramproc mount /tmp/ram -n notes -m 0600 -s 512M', 'another name, private, at most 512 MiB'],
    ['ramproc mount /tmp/ram --from big.iso', 'filled before anybody sees it'],
    ['ramproc mount /tmp/ram --allow-other -o ro,noexec', 'for all users, read-only'],
    ['ramproc mount /tmp/ram --restore a --save a', 'as it was left the last time'],
    ['ramproc mount /tmp/ram --foreground', 'stays, logs, ends with Ctrl-C'],
  ],
});

/** Where a daemon process starts. */
const DAEMON = fileURLToPath(ownModule('daemon-main'));

async function run(
  dir: string,
  { options, foreground = false, json = false, ...flags }: Flags<typeof mountRows>,
): Promise<void> {
  await mountOn(dir, { ...options, ...flags }, { foreground, json });
}

/** How to mount, and what to say of it. */
interface Manner {
  readonly foreground?: boolean;
  readonly json?: boolean;
  /** Nothing is said of a mount that succeeds. */
  readonly quiet?: boolean;
  /** All is done but mounting, as of mount(8)'s --fake. */
  readonly fake?: boolean;
}

/** Mounts the RAM file, and returns when it can be used. In the foreground this process becomes the daemon. */
export async function mountOn(
  dir: string,
  { setuid, ...settings }: Settings,
  { foreground = false, json = false, quiet = false, fake = false }: Manner,
): Promise<void> {
  if (settings.remount) {
    const { remountOn } = await import('./remount.ts');
    return remountOn(dir, { ...settings, ...(setuid && { setuid }) }, { json, fake });
  }
  closeAllOnExec();
  using starter = terminal(json);
  try {
    if (setuid !== undefined) become(setuid);
    raiseLimits(starter.notice);
    if (settings.join) refuseToJoin({ log: settings.log, foreground: foreground || undefined });
    const log = foreground ? undefined : defaultLog();
    const planned = plan(withAbsolutePaths({ ...(log && { log }), ...settings }));
    const { on, passwordFile } = settings;
    if (on !== undefined) leavePassword(passwordFor(on, passwordFile));
    if (fake) return;
    const { from } = planned;
    const isThere = from !== undefined && takeSource(from, settings.restore !== undefined);
    const order = {
      dir: absolute(dir),
      plan: { ...planned, from: isThere ? from : undefined },
      foreground,
      json,
    };
    if (foreground) startInForeground(DAEMON, order);
    const { join } = settings.join ? await import('../daemon/join.ts') : {};
    const joined = await join?.(order.dir, planned, starter);
    const mounted = joined ?? (await startInBackground(DAEMON, order, starter));
    if (!quiet) await starter.mounted(mounted);
  } catch (error) {
    throw cannotMount(dir, error);
  }
}

/** What belongs to a process of its own. */
function refuseToJoin(options: Readonly<Record<string, unknown>>): void {
  const option = Object.keys(options).find((name) => options[name] !== undefined);
  if (option === undefined) return;
  throw new MountError(
    `Cannot mount with "--join" and "--${option}": that is for a process of its own; leave out one of them.`,
  );
}

/** As mount.fuse3(8) has it. Who is this user already is left alone. */
function become(user: User): void {
  if (process.geteuid?.() === user.uid) return;
  try {
    becomeUser(user);
  } catch (error) {
    const why = reason(error, 'only root may');
    throw new MountError(`Cannot become the user ${quote(user.name)}: ${why}.`, { cause: error });
  }
}
