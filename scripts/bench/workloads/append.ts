import { output } from '../command.ts';
import { sizeName } from '../sizes.ts';
import type { Metric, Workload } from './workload.ts';

const RECORD = 100;

/** One client appends 100 bytes at a time, `bytes` in all: see clients/append.c. */
export function append(bytes: number): Workload {
  const what = `appends of ${RECORD} bytes to ${sizeName(bytes)}`;
  const rate: Metric = { id: `append ${bytes}`, topic: 'files', label: `${what} (a second)` };
  const growth: Metric = { id: `growth ${bytes}`, topic: 'growth', label: sizeName(bytes) };
  return {
    label: what,
    metrics: [rate, growth],
    fileSize: 0,
    async run({ file }, programs) {
      const records = Math.floor(bytes / RECORD);
      const said = await output(programs.append, file, String(records));
      const [all = Number.NaN, first = Number.NaN, last = Number.NaN] = said.split(' ').map(Number);
      return { [rate.id]: records / all, [growth.id]: last / first };
    },
  };
}
