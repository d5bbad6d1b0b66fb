import { MNT_DETACH, umount2 } from '../sys/mount.ts';
import { quote } from '../text/quote.ts';
import { reason } from '../text/reason.ts';
import { isRoot } from './access.ts';
import { runFusermount } from './fusermount.ts';
import { MountError } from './mount-error.ts';

/** Unmounts `dir`, or with `lazy` detaches it until its last user is gone. Throws MountError, with an Errno as cause. */
export function unmountFuse(dir: string, lazy: boolean): void {
  const failure = `Cannot unmount ${quote(dir)}`;
  try {
    if (isRoot()) umount2(dir, lazy ? MNT_DETACH : 0);
    else runFusermount(['-u', ...(lazy ? ['-z'] : []), '--', dir], failure);
  } catch (error) {
    if (error instanceof MountError) throw error;
    throw new MountError(`${failure}: ${reason(error)}.`, { cause: error });
  }
}
