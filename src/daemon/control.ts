import { closeSync, constants, openSync, readdirSync, readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { ProcOps } from '../proc-fs/proc-ops.ts';
import { EACCES, ENOTTY, Errno } from '../sys/errno.ts';
import { ioctl } from '../sys/ioctl.ts';
import type { MountInfo } from '../sys/mountinfo.ts';
import { attempt, processes } from '../sys/processes.ts';

/**
 * How one command speaks to another's daemon: an ioctl(2) on the mounted directory itself. It needs no socket and no
 * file of its own, reaches the daemon of exactly this mount in any namespace, and the kernel says who asks.
 *
 * _IO('R', 1): no data goes along.
 */
const TEARDOWN = ('R'.charCodeAt(0) << 8) | 1;

/** The daemon's side: the root directory's ProcOps. Only the mount's owner and root may ask. */
export function controlOps(teardown: () => void): ProcOps {
  return new ProcOps({
    ioctl(file, command) {
      if (command !== TEARDOWN) throw new Errno(ENOTTY);
      if (file.uid !== 0 && file.uid !== process.geteuid?.()) throw new Errno(EACCES);
      teardown();
      return 0;
    },
  });
}

/**
 * The command's side: has the daemon of a mount remove its entry and take its data. Throws an Errno, or an Error that says
 * why that can't be.
 */
export async function requestTeardown(mount: MountInfo): Promise<void> {
  try {
    const fd = openSync(mount.dir, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      ioctl(fd, TEARDOWN, 0);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    const errno = Errno.from(error);
    if (!(errno instanceof Errno && errno.errno === ENOTTY)) throw errno;
    await signalTeardown(mount);
  }
}

/** The daemon's side of the same over libfuse 2, which has no ioctl: the kernel lets only its user and root signal it. */
export const TEARDOWN_SIGNAL = 'SIGUSR2';

/** How long the daemon may take to act on the signal, in milliseconds, and how often to look. */
const PATIENCE = 2000;
const PAUSE = 5;

async function signalTeardown(mount: MountInfo): Promise<void> {
  const daemon = daemonOf(mount);
  if (daemon === undefined) throw new Error('its process was not found');
  process.kill(daemon, TEARDOWN_SIGNAL);
  for (let waited = 0; waited < PATIENCE; waited += PAUSE) {
    if (readdirSync(mount.dir).length === 0) return;
    await setTimeout(PAUSE);
  }
  throw new Error('its process did not answer');
}

/** Who serves a FUSE mount: the process whose /dev/fuse belongs to its connection, as newer kernels tell in fdinfo. */
function daemonOf(mount: MountInfo): number | undefined {
  const connection = `fuse_connection:\t${mount.device.split(':').at(1)}\n`;
  return processes().find((pid) =>
    (attempt(() => readdirSync(`/proc/${pid}/fdinfo`)) ?? []).some((fd) =>
      attempt(() => readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8'))?.includes(connection),
    ),
  );
}
