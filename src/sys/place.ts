import { constants, openSync } from 'node:fs';

/** Source: asm-generic/fcntl.h; Node has no name for it. */
const O_PATH = 0o10000000;

/**
 * A directory as a place only. Nothing is asked of the file system whose directory it is: the way there ends at a mount
 * without a call to it (FUSE has no d_weak_revalidate), so this returns at once also where a daemon is stuck or dead, and
 * for a user whom the mount doesn't let in. It is asked of those on the way. ENOTDIR for a symbolic link as for a file.
 *
 * Returns the descriptor, which keeps the mount busy. Source: open(2), O_PATH.
 */
export function openPlace(dir: string): number {
  return openSync(dir, O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW);
}
