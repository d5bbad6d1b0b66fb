import { Daemon } from '../daemon/control/client.ts';
import { NoAnswer } from '../daemon/control/exchange.ts';
import { EndedBySignal } from '../daemon/end-on-signal.ts';
import { type Directory, findDirectory, mountedOn } from '../mount/directory.ts';
import { look } from '../mount/look.ts';
import { MountError } from '../mount/mount-error.ts';
import { FSTYPE } from '../mount/options.ts';
import type { MountInfo } from '../sys/mountinfo.ts';
import { quote } from '../text/quote.ts';
import { reason } from '../text/reason.ts';
import { shellWord } from '../text/shell-word.ts';

/** The mount of ours on a directory, if there is one that can be seen. */
export function ourMountOn(found: Directory): MountInfo | undefined {
  const mount = mountedOn(found);
  return mount?.type === FSTYPE ? mount : undefined;
}

/** A mount of ours, and who serves it. */
export interface Asked {
  readonly mount: MountInfo;
  readonly daemon: Daemon;
}

/** The daemon of the mount on a directory. Throws a MountError that begins with `failure`. */
export async function daemonOn(dir: string, failure: string): Promise<Asked> {
  return await orFailure(failure, async () => {
    const mount = ourMountOn(await findDirectory(dir));
    if (mount === undefined) throw new Error('it is not mounted by ramproc; "ramproc list" shows what is');
    return { mount, daemon: await Daemon.of(mount).catch((error: unknown) => noDaemon(error, mount)) };
  });
}

/** Throws why nobody answers for a mount, and what to do when nobody ever will. */
async function noDaemon(error: unknown, mount: MountInfo): Promise<never> {
  const isRoot = process.geteuid?.() === 0;
  const isNone = error instanceof NoAnswer && error.kind === 'none';
  if (!isNone || (await look(mount.dir, isRoot && mount.owner !== 0 ? mount : undefined)) !== 'dead')
    throw error;
  const unmount = quote(`ramproc unmount ${shellWord(mount.dir)}`);
  throw new NoAnswer('none', `its daemon has ended; ${unmount} takes away what it left`);
}

/** What `ask` answers. What it throws becomes a MountError that begins with `failure`. */
export async function orFailure<T>(failure: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof MountError || error instanceof EndedBySignal) throw error;
    const why =
      error instanceof NoAnswer ? error.message : reason(error, '"ramproc list" shows what is mounted');
    throw new MountError(`${failure}: ${why}.`, { cause: error });
  }
}
