import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** Where the two versions of control groups are, and what their files are called. Source: cgroups(7), both memory.rst. */
const VERSIONS = [
  {
    line: /^0::(.*)$/m,
    roots: ['/sys/fs/cgroup', '/sys/fs/cgroup/unified'],
    limit: 'memory.max',
    usage: 'memory.current',
    cache: /^(?:in)?active_file (\d+)$/gm,
  },
  {
    line: /^\d+:(?:.*,)?memory(?:,.*)?:(.*)$/m,
    roots: ['/sys/fs/cgroup/memory'],
    limit: 'memory.limit_in_bytes',
    usage: 'memory.usage_in_bytes',
    cache: /^total_(?:in)?active_file (\d+)$/gm,
  },
] as const;

/**
 * How many bytes this process may still take before the kernel looks for a process to kill: what the machine has, swap
 * included, and what is left of each memory control group that the process is in. Files in the page cache count as free.
 */
export function memoryRoom(): number {
  const groups = read('/proc/self/cgroup') ?? '';
  return Math.min(
    machineRoom(),
    ...VERSIONS.flatMap((version) => {
      const [, group] = groups.match(version.line) ?? [];
      return group === undefined
        ? []
        : version.roots.flatMap((root) => upwards(group).map((path) => groupRoom(root + path, version)));
    }),
  );
}

function machineRoom(): number {
  const info = read('/proc/meminfo');
  if (info === undefined) return Number.POSITIVE_INFINITY;
  return sum(info, /^(?:MemAvailable|SwapFree): +(\d+) kB$/gm) * 1024;
}

/** A group and all that it lies in. In a container the path may be the host's, and then only the root is there. */
function upwards(group: string): string[] {
  const path = group === '/' ? '' : group;
  return path === '' ? [''] : [path, ...upwards(dirname(path))];
}

/** What is left of a group that isn't there, or has no limit, is infinite. */
function groupRoom(dir: string, { limit, usage, cache }: (typeof VERSIONS)[number]): number {
  const most = Number(read(`${dir}/${limit}`) ?? Number.NaN);
  // Version 1 has a number near 2^63 for no limit, version 2 a word.
  if (Number.isNaN(most) || most > Number.MAX_SAFE_INTEGER) return Number.POSITIVE_INFINITY;
  const left = most - Number(read(`${dir}/${usage}`) ?? 0);
  return left + sum(read(`${dir}/memory.stat`) ?? '', cache);
}

function sum(text: string, numbers: RegExp): number {
  return [...text.matchAll(numbers)].reduce((total, [, number]) => total + Number(number), 0);
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
