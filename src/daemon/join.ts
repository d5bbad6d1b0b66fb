import { MountError } from '../mount/mount-error.ts';
import { FSTYPE } from '../mount/options.ts';
import { manifest } from '../sys/manifest.ts';
import { mounts } from '../sys/mountinfo.ts';
import { Daemon } from './control/client.ts';
import { NoAnswer } from './control/exchange.ts';
import type { Mounted, Starter } from './house.ts';
import { ownPlace } from './place.ts';
import type { Plan } from './plan.ts';

/** How long a daemon may keep silent before another is asked, in milliseconds. */
const PATIENCE = 2000;

/**
 * Has a daemon of this user's that runs already mount a directory and serve it. Returns undefined when there is none that does.
 * Throws the sentence with which it failed.
 */
export async function join(
  dir: string,
  plan: Plan,
  { notice }: Pick<Starter, 'notice'>,
): Promise<Mounted | undefined> {
  const own = process.geteuid?.();
  const asked = new Set<number>();
  // The one that came last is the one that somebody has in mind.
  for (const mount of mounts().reverse()) {
    if (mount.type !== FSTYPE || mount.owner !== own) continue;
    try {
      const daemon = await Daemon.of(mount, PATIENCE);
      const { pid, version, joinable = false } = daemon.hello;
      if (asked.has(pid) || version !== manifest().version || !joinable) continue;
      asked.add(pid);
      const { mounted, failed } = await daemon.ask('join', { dir, plan, place: ownPlace() }, (progress) => {
        if (progress.notice !== undefined) notice(progress.notice);
      });
      if (failed !== undefined) throw new MountError(failed);
      return mounted as Mounted;
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error;
    }
  }
  return undefined;
}
