import { closeSync, constants, openSync } from 'node:fs';
import { EACCES, ENOTTY, Errno } from '../abi/errno.ts';
import { ProcOps } from '../proc-fs/proc-ops.ts';
import { ioctl } from '../sys/ioctl.ts';

/**
 * How one command speaks to another's daemon: an ioctl(2) on the mounted directory itself. It needs no socket and no
 * file of its own, reaches the daemon of exactly this mount in any namespace, and the kernel says who asks.
 *
 * _IO('R', 1): no data goes along; the answer is the daemon's process number.
 */
const TEARDOWN = ('R'.charCodeAt(0) << 8) | 1;

/** The daemon's side: the root directory's ProcOps. Only the mount's owner and root may ask. */
export function controlOps(teardown: () => void): ProcOps {
  return new ProcOps({
    ioctl(file, command) {
      if (command !== TEARDOWN) throw new Errno(ENOTTY);
      if (file.uid !== 0 && file.uid !== process.geteuid?.()) throw new Errno(EACCES);
      teardown();
      return process.pid;
    },
  });
}

/** The command's side: asks the daemon of `dir` to remove its entry and take its data. Throws an Errno. */
export function requestTeardown(dir: string): number {
  try {
    const fd = openSync(dir, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      return ioctl(fd, TEARDOWN, 0);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    throw Errno.from(error);
  }
}
