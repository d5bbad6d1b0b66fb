import { threadId } from 'node:worker_threads';
import { ProcOps } from 'ramproc';

/** Reads as what the handler is told of a read, and in which thread. */
export function attach(state) {
  return new ProcOps(
    {
      lseek: (_file, offset) => offset,
      read(file, to, offset, { uid, gid, tid, pid, flags, nonblock, signal }) {
        const caller = { uid, gid, tid, pid, flags, nonblock, aborted: signal.aborted };
        const told = { threadId, opener: file.uid, opened: file.flags, caller };
        to.write(Buffer.from(JSON.stringify(told)).subarray(offset, offset + to.length));
      },
    },
    { shared: { module: import.meta.url, state }, ...state },
  );
}
