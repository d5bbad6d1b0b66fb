import { notDumpable } from '../sys/prctl.ts';
import { RLIMIT_CORE, setrlimit } from '../sys/rlimit.ts';

/** Has the kernel write no core of this process, and let only root look into it. */
export function keepFromDumps(): void {
  setrlimit(RLIMIT_CORE, 0);
  notDumpable();
}
