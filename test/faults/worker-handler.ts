import { threadId } from 'node:worker_threads';
import { ProcOps } from '../../src/proc-fs/proc-ops.ts';
import type { UserSliceWriter } from '../../src/proc-fs/user-slice.ts';

/** What a read does, in the worker that serves it. */
export const acts = {
  works: () => 0,
  /** As many bytes as the number of its worker. */
  counts: (to: UserSliceWriter) => to.write(Buffer.alloc(threadId)),
  throws() {
    throw new Error('thrown in a worker');
  },
  promises: () => Promise.resolve(0),
  // Neither is a number that FUSE takes; the first is caught by ProcOps.
  lies: () => 1e9,
  recurses(): number {
    return acts.recurses() + 1;
  },
  exits: (): number => process.exit(0),
  /** In a worker, being out of memory ends the thread. */
  allocates(): number {
    const kept: unknown[] = [];
    for (;;) kept.push(new Array(10_000).fill(kept.length));
  },
};

export type Act = keyof typeof acts;

export function attach(act: Act): ProcOps {
  return new ProcOps(
    { read: (_file, to) => acts[act](to) },
    { shared: { module: import.meta.url, state: act } },
  );
}
