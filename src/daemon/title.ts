import { resolve } from 'node:path';
import { FSNAME } from '../mount/options.ts';
import { setName } from '../sys/prctl.ts';
import { attempt } from '../sys/processes.ts';

/** What ps shows of a daemon: its directories, and nothing else that it was told. */
export function titleOf(...dirs: readonly string[]): string {
  return [FSNAME, ...dirs.map((dir) => attempt(() => resolve(dir)) ?? dir)].join(' ');
}

/**
 * Gives this process its title, as far as there is room for it: Node writes it over the arguments that the process was
 * started with, and the beginning into the process's name too. Source: uv_set_process_title.
 */
export function setTitle(...dirs: readonly string[]): void {
  process.title = titleOf(...dirs);
  // What pgrep, pidof and killall go by. /proc/self/comm is root's in a process that keeps a secret.
  setName(FSNAME);
}
