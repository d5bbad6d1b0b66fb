import { output } from '../command.ts';
import { MiB } from '../sizes.ts';
import type { Metric, Workload } from './workload.ts';

const rate: Metric = { id: 'open-close', topic: 'files', label: 'open, fstat, close (a second)' };

/** One client opens, stats and closes the file: see clients/open-close.c. */
export function openClose(seconds: number): Workload {
  return {
    label: 'open, fstat, close',
    metrics: [rate],
    fileSize: 64 * MiB,
    async run({ file }, programs) {
      return { [rate.id]: Number(await output(programs.openClose, file, String(seconds))) };
    },
  };
}
