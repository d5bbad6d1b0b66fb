import { writeFile } from 'node:fs/promises';
import { output } from '../command.ts';
import { MiB } from '../sizes.ts';
import type { Metric, Workload } from './workload.ts';

const rate: Metric = { id: 'open-close', topic: 'files', label: 'open, fstat, close (a second)' };
const small: Metric = { id: 'open-read-close', topic: 'files', label: 'open, read, close (a second)' };

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

/**
 * One client opens a small file, reads it to its end and closes it, as cat(1) does. Where there is a file whose text is made when
 * somebody reads it, that one.
 */
export function openReadClose(seconds: number): Workload {
  return {
    label: 'open, read, close',
    metrics: [small],
    fileSize: 0,
    async run({ file, single }, programs) {
      if (single === undefined) await writeFile(file, '1234.567890123\n');
      return {
        [small.id]: Number(await output(programs.openClose, single ?? file, String(seconds), 'read')),
      };
    },
  };
}
