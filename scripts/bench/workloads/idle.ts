import { setTimeout as sleep } from 'node:timers/promises';
import { cpuSeconds, memoryOf } from '../server-process.ts';
import type { Metric, Workload } from './workload.ts';

const memory: Metric = { id: 'idle memory', topic: 'start', label: 'memory, idle (MB)' };
const cpu: Metric = { id: 'idle cpu', topic: 'start', label: 'CPU, idle (ms a second)' };

/** A server that nobody asks anything, as it is after its mount. */
export function idle(seconds: number): Workload {
  return {
    label: 'idle',
    metrics: [memory, cpu],
    fileSize: 0,
    async run({ pid }) {
      if (pid === undefined) return {};
      const before = cpuSeconds(pid);
      await sleep(seconds * 1000);
      return {
        [memory.id]: memoryOf(pid) / 1e6,
        [cpu.id]: ((cpuSeconds(pid) - before) / seconds) * 1000,
      };
    },
  };
}
