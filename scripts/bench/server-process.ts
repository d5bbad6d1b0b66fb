import { readdirSync, readFileSync, statfsSync, statSync } from 'node:fs';
import { TMPFS_MAGIC } from './contenders/tmpfs.ts';

/** USER_HZ, in which /proc/PID/stat counts: 100 a second on every architecture that Node runs on. Source: times(2). */
const TICKS_PER_SECOND = 100;

const STAT_BLOCK = 512;

/** The CPU time of all threads of a process so far, user and system, in seconds. Source: proc_pid_stat(5). */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // Fields are counted behind the command's name, which may have spaces in it: state is the third.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/**
 * The memory of a process, in bytes: its resident pages, and those of the memfds and tmpfs files that it holds open, each
 * counted once. Those pages show up in the resident memory of a process only where it maps them (RssShmem).
 */
export function memoryOf(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kib = (name: string) => Number(status.match(new RegExp(`^${name}:\\s*(\\d+) kB$`, 'm'))?.[1] ?? 0);
  const files = tmpfsBytes(pid);
  const shared = files > 0 ? files : kib('RssShmem') * 1024;
  return (kib('RssAnon') + kib('RssFile')) * 1024 + shared;
}

/** Several descriptors may lead to the same file. A memfd is a file of the kernel's own tmpfs. */
function tmpfsBytes(pid: number): number {
  const bytes = new Map<string, number>();
  for (const fd of readdirSync(`/proc/${pid}/fd`)) {
    const path = `/proc/${pid}/fd/${fd}`;
    const stat = statSync(path);
    if (!stat.isFile() || statfsSync(path).type !== TMPFS_MAGIC) continue;
    bytes.set(`${stat.dev}:${stat.ino}`, stat.blocks * STAT_BLOCK);
  }
  return [...bytes.values()].reduce((sum, one) => sum + one, 0);
}

/** The kernel's page cache of the whole machine without tmpfs and memfds, in bytes. Source: proc_meminfo(5). */
export function pageCacheBytes(): number {
  const meminfo = readFileSync('/proc/meminfo', 'utf8');
  const kib = (name: string) => Number(meminfo.match(new RegExp(`^${name}:\\s*(\\d+) kB$`, 'm'))?.[1] ?? 0);
  return (kib('Cached') - kib('Shmem')) * 1024;
}
