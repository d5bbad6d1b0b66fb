import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { MNT_DETACH, MNT_FORCE, umount2 } from '../sys/mount.ts';
import type { MountInfo } from '../sys/mountinfo.ts';
import { attempt } from '../sys/processes.ts';
import { quote } from '../text/quote.ts';
import { reason } from '../text/reason.ts';
import { isRoot } from './access.ts';
import { MountError } from './mount-error.ts';
import { unmountFuse } from './unmount.ts';

/**
 * Ends a mount whose daemon can't be asked: who waits for it gets ECONNABORTED, who has a file open ENOTCONN from now on, and
 * the mount is detached. Throws a MountError.
 *
 * Only root may abort by umount2(2). The file that anybody may do it by who mounted is there where fusectl is mounted; where
 * it isn't, who waits goes on waiting. Source: Documentation/filesystems/fuse.rst, "Control filesystem".
 */
export function abortMount({ dir, device }: MountInfo): void {
  if (!isRoot()) {
    attempt(() => abort(device));
    unmountFuse(dir, true);
    return;
  }
  try {
    umount2(dir, MNT_FORCE | MNT_DETACH);
  } catch (error) {
    throw new MountError(`Cannot unmount ${quote(dir)}: ${reason(error)}`, { cause: error });
  }
}

/** Throws when fusectl isn't mounted. Its file can't be read, nor made. */
function abort(device: string): void {
  const [, connection] = device.split(':');
  const fd = openSync(`/sys/fs/fuse/connections/${connection}/abort`, constants.O_WRONLY);
  try {
    writeSync(fd, '1');
  } finally {
    closeSync(fd);
  }
}
