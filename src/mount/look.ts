import { spawn } from 'node:child_process';
import { ECONNABORTED, ENOTCONN } from '../sys/errno.ts';

/** What there is behind a mount: a daemon that answers, none any more, or one that doesn't answer. */
export type Behind = 'answers' | 'dead' | 'silent';

/** How long a daemon may take to answer, in milliseconds. It may have been swapped out. */
const PATIENCE = 5000;

/** statfs(2) is never answered from a cache. An exit status is its error number. */
const LOOK = `try { require('node:fs').statfsSync(process.argv[1]) } catch ({ errno }) { process.exit(-errno) }`;

/**
 * Looks into a mount, in a process of its own: who asks a daemon that is stuck can't be ended until it has answered, also
 * not by SIGKILL (request_wait_answer). Such a process goes with its daemon.
 *
 * Of a mount that doesn't let this user in the kernel says nothing: it counts as one that answers.
 */
export function look(dir: string): Promise<Behind> {
  const child = spawn(process.execPath, ['-e', LOOK, '--', dir], { stdio: 'ignore', env: {} });
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
