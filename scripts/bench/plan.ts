import { contenders, withThreads } from './contenders/all.ts';
import type { Contender } from './contenders/contender.ts';
import { libfuse3 } from './contenders/peers.ts';
import { GiB, MiB } from './sizes.ts';
import { append } from './workloads/append.ts';
import { fioWorkloads, manyClients } from './workloads/fio.ts';
import { idle } from './workloads/idle.ts';
import { openClose, openReadClose } from './workloads/open-close.ts';
import { wholeFile } from './workloads/whole.ts';
import type { Workload } from './workloads/workload.ts';

/** What a run measures. */
export interface Plan {
  /** Also the name of its report's files. */
  readonly name: string;
  readonly contenders: readonly Contender[];
  readonly rounds: number;
  readonly workloads: readonly Workload[];
  /** What takes too long for each round, done in the first. */
  readonly once: readonly Workload[];
  /** How long a newly mounted file is used before anything is measured, in seconds. */
  readonly warmUp: number;
}

const FILE = 64 * MiB;

/** Everything, each for so many seconds. */
function everything(idleFor: number, fio: number, files: number): Workload[] {
  return [
    idle(idleFor),
    ...fioWorkloads(FILE, fio, [1, 4]),
    ...manyClients(FILE, fio, [16, 64]),
    openClose(files),
    openReadClose(files),
  ];
}

/** Everything, shortly: to see that it works, not to compare. */
export const quick: Plan = {
  name: 'quick',
  contenders,
  rounds: 1,
  workloads: [...everything(0.2, 0.2, 0.2), append(MiB), wholeFile(FILE)],
  once: [],
  warmUp: 0.2,
};

export const standard: Plan = {
  name: 'standard',
  contenders,
  rounds: 5,
  workloads: [...everything(1, 2, 1), append(8 * MiB), wholeFile(GiB)],
  once: [],
  warmUp: 1,
};

/** The standard one, the same on a file of 1 GiB, and 1 GiB of appends. */
export const full: Plan = {
  ...standard,
  name: 'full',
  workloads: [...standard.workloads, ...fioWorkloads(GiB, 2, [1, 4])],
  once: [append(GiB)],
};

/** Numbers of workers, beside the C server: who serves 1, 2 and 4 clients best? */
export function threads(counts: readonly number[]): Plan {
  return {
    ...standard,
    name: 'threads',
    contenders: [libfuse3, ...counts.map(withThreads)],
    workloads: fioWorkloads(FILE, 2, [1, 2, 4]),
  };
}
