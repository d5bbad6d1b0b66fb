import { availableParallelism } from 'node:os';

/** Whether two threads of this process can run at the same time: its affinity, and a control group's limit, let them. */
export function runsInParallel(): boolean {
  return availableParallelism() > 1;
}
