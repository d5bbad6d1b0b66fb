import { ECONNABORTED, ENOTCONN } from '../sys/errno.ts';
import type { MountInfo } from '../sys/mountinfo.ts';

/** What there is behind a mount: a daemon that answers, none any more, or one that doesn't answer. */
export type Behind = 'answers' | 'dead' | 'silent';

/** How long a daemon may take to answer, in milliseconds. It may have been swapped out. */
const PATIENCE = 5000;

/**
 * statfs(2) is never answered from a cache. An exit status is its error number. As a user it is asked by a descriptor that whoever starts
 * this has opened with O_PATH: that user may not come to the directory.
 */
const LOOK = `
const { openSync, statfsSync } = require('node:fs');
const [, dir, uid, gid] = process.argv;
try {
  const at = uid === undefined ? dir : '/proc/self/fd/' + openSync(dir, 0o10000000);
  if (uid !== undefined) {
    process.setgroups([]);
    process.setgid(Number(gid));
    process.setuid(Number(uid));
  }
  statfsSync(at);
} catch ({ errno }) {
  process.exit(errno === undefined ? 0 : -errno);
}`;

/**
 * Looks into a mount, in a process of its own: who asks a daemon that is stuck can't be ended until it has answered, also
 * not by SIGKILL (request_wait_answer). Such a process goes with its daemon.
 *
 * Of a mount that doesn't let this user in the kernel says nothing (fuse_statfs), also not to root: it counts as one that answers,
 * unless root says which `user` mounted it, as whom it is then looked at.
 */
export function look(dir: string, user?: Pick<MountInfo, 'owner' | 'group'>): Promise<Behind> {
  const { owner, group } = user ?? {};
  const as = owner === undefined || group === undefined ? [] : [`${owner}`, `${group}`];
  const { spawn } = process.getBuiltinModule('node:child_process');
  const child = spawn(process.execPath, ['-e', LOOK, '--', dir, ...as], { stdio: 'ignore', env: {} });
  return new Promise((seen, failed) => {
    const late = setTimeout(() => {
      child.kill('SIGKILL');
      child.unref();
      seen('silent');
    }, PATIENCE);
    child.once('error', failed);
    child.once('exit', (status) => {
      clearTimeout(late);
      // Every call on a mount without a daemon is ENOTCONN; the one that the daemon died over is ECONNABORTED (fuse_abort_conn).
      seen(status === ENOTCONN || status === ECONNABORTED ? 'dead' : 'answers');
    });
  });
}
