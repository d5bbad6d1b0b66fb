import { calls } from './calls/index.ts';
import { loads } from './loads.ts';

/** What a client process can be told to do. */
export const clientCalls = {
  ...calls,
  ...loads,
  /** Acts as another user from now on, for good. */
  become(uid: number, gid: number): void {
    process.setgroups?.([]);
    process.setgid?.(gid);
    process.setuid?.(uid);
  },
};

export type ClientCalls = typeof clientCalls;
