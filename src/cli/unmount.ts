import { Command } from 'commander';
import { holders } from '../mount/holders.ts';
import { MountError } from '../mount/mount-error.ts';
import { mountPath } from '../mount/mount-point.ts';
import { FSTYPE } from '../mount/options.ts';
import { unmountFuse } from '../mount/unmount.ts';
import { EBUSY, Errno } from '../sys/errno.ts';
import { type MountInfo, mountAt } from '../sys/mountinfo.ts';
import { quote } from '../text/quote.ts';
import { reason } from '../text/reason.ts';
import { addLists } from './help.ts';
import { addFlags, type Flags } from './option.ts';
import { unmountRows } from './options.ts';

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

async function run(dir: string, { lazy = false, force = false }: Flags<typeof unmountRows>): Promise<void> {
  const mount = find(dir);
  if (force) await forceTeardown(mount);
  try {
    unmountFuse(mount.dir, lazy || force);
  } catch (error) {
    throw isBusy(error) ? busy(mount) : error;
  }
}

function find(dir: string): MountInfo {
  const failure = `Cannot unmount ${quote(dir)}`;
  try {
    const mount = mountAt(mountPath(dir));
    if (mount?.type === FSTYPE) {
      const uid = process.geteuid?.();
      if (uid === 0 || uid === mount.owner) return mount;
      throw new Error(`user ${mount.owner} mounted it, and only that user and root may unmount it`);
    }
  } catch (error) {
    const why = reason(error, '"findmnt -t fuse.ramproc" lists what is mounted');
    throw new MountError(`${failure}: ${why}.`, { cause: error });
  }
  throw new MountError(`${failure}: it is not mounted by ramproc.`);
}

/** A daemon that can't be asked any more has lost its data already, and the mount is taken away all the same. */
async function forceTeardown(mount: MountInfo): Promise<void> {
  try {
    const { requestTeardown } = await import('../daemon/control.ts');
    await requestTeardown(mount);
  } catch (error) {
    console.error(
      `ramproc: The daemon of ${quote(mount.dir)} did not take the data (${reason(error)}); detaching only.`,
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
