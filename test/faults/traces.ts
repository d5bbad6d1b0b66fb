import { readFileSync } from 'node:fs';
import { type MountInfo, mounts } from '../../src/sys/mountinfo.ts';
import { attempt, processes } from '../../src/sys/processes.ts';

/** What there is of a mount below a directory. */
export interface Traces {
  readonly mounted: readonly MountInfo[];
  /** Program and arguments of each process that was started with a path below the directory. */
  readonly running: readonly string[];
}

export function traces(dir: string): Traces {
  return { mounted: mounts().filter((mount) => mount.dir.startsWith(dir)), running: running(dir) };
}

function running(dir: string): string[] {
  return processesOf(dir)
    .map(commandOf)
    .filter((line) => line !== '');
}

/** The processes that were started with a path below the directory. */
export function processesOf(dir: string): number[] {
  return processes().filter((pid) => commandOf(pid).includes(dir));
}

function commandOf(pid: number): string {
  return attempt(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8'))?.replaceAll('\0', ' ') ?? '';
}
