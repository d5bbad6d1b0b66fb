import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { MNT_DETACH, MNT_FORCE, UMOUNT_NOFOLLOW, umount2 } from '../sys/mount.ts';
import { type MountInfo, mountIdOf } from '../sys/mountinfo.ts';
import { openPlace } from '../sys/place.ts';
import { attempt } from '../sys/processes.ts';
import { quote } from '../text/quote.ts';
import { reason } from '../text/reason.ts';
import { isRoot } from './access.ts';
import { runFusermount } from './fusermount.ts';
import { type MountIdentity, obstacle, present } from './identity.ts';
import { MountError } from './mount-error.ts';

/** How to unmount. */
export interface How {
  /** Also when it is in use: it is detached, until its last user is gone. */
  readonly lazy: boolean;
  /**
   * Cut the connection before, for the daemon does not answer: every call that waits for it, and every later one, fails. Whoever
   * is not root can do that where fusectl is mounted; where it isn't, who waits goes on waiting.
   */
  readonly cut?: boolean;
}

/**
 * Unmounts that mount and no other, wherever it is by now; where this namespace has it no more there is nothing to do.
 * Throws a MountError, with an Errno as cause where there is one.
 */
export function unmountFuse(identity: MountIdentity, how: How): void {
  const mount = present(identity);
  if (mount === undefined) return;
  const failure = `Cannot unmount ${quote(mount.dir)}`;
  const inTheWay = obstacle(mount);
  if (inTheWay !== undefined) throw new MountError(`${failure}: ${inTheWay}.`);
  try {
    if (isRoot()) unmountAsRoot(mount, how);
    else {
      if (how.cut) abort(mount);
      // It looks for the path in /proc/mounts and doesn't touch the mount itself.
      runFusermount(['-u', ...(how.lazy ? ['-z'] : []), '--', mount.dir], failure);
    }
  } catch (error) {
    if (error instanceof MountError) throw error;
    throw new MountError(`${failure}: ${reason(error)}.`, { cause: error });
  }
}

/** Source: Documentation/filesystems/fuse.rst, "Control filesystem". */
function abort({ device }: MountInfo): void {
  const [, connection] = device.split(':');
  // Its owner may write it and not read it, and it is not to be made where it isn't.
  const fd = attempt(() => openSync(`/sys/fs/fuse/connections/${connection}/abort`, constants.O_WRONLY));
  if (fd === undefined) return;
  writeSync(fd, '1');
  closeSync(fd);
}

/** The kernel unmounts by path alone: one that starts at a directory that was looked into, and has one step more. */
function unmountAsRoot({ id, dir }: MountInfo, { lazy, cut = false }: How): void {
  const parent = openPlace(dirname(dir));
  try {
    const path = `/proc/self/fd/${parent}/${basename(dir)}`;
    const place = openPlace(path);
    // Kept open, it would keep the mount busy.
    const isThere = mountIdOf(place) === id;
    closeSync(place);
    if (!isThere) throw new Error('another mount has just come in its way; try again.');
    umount2(path, UMOUNT_NOFOLLOW | (lazy ? MNT_DETACH : 0) | (cut ? MNT_FORCE : 0));
  } finally {
    closeSync(parent);
  }
}
