import { libcFunction } from '../../src/sys/libc.ts';
import { type Answer, answer } from './answer.ts';
import { loads } from './loads.ts';
import { tracked } from './tracked.ts';

const unshare = libcFunction<[flags: number]>('unshare', 'int', ['int']);

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

  /** Goes on in namespaces of its own, as CLONE_NEW flags say which. */
  unshare: (flags: number): Answer<number> => answer(() => unshare(flags)),

  /** Ends without closing or unlocking anything; there is no answer. */
  exit(): void {
    process.kill(process.pid, 'SIGKILL');
  },
};

export type ClientCalls = typeof clientCalls;
