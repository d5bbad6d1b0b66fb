import { loads } from './loads.ts';
import { tracked } from './tracked.ts';

const { calls, release } = tracked();

/** What a client process can be told to do. */
export const clientCalls = {
  ...calls,
  ...loads,

  /** Closes and unmaps all that it has. */
  release,

  /** Acts as another user from now on, for good. */
  become(uid: number): void {
    process.setgroups?.([]);
    process.setgid?.(uid);
    process.setuid?.(uid);
  },

  /** Ends without closing or unlocking anything; there is no answer. */
  exit(): void {
    process.kill(process.pid, 'SIGKILL');
  },
};

export type ClientCalls = typeof clientCalls;
