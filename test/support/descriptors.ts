import { readdirSync, readlinkSync } from 'node:fs';
import { attempt } from '../../src/sys/processes.ts';

/** What `look` sees of each of a process's descriptors, but of those that it closes meanwhile. Source: proc_pid_fd(5). */
export function ofDescriptors<T>(pid: number, look: (fd: string, path: string) => T): T[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    const seen = attempt(() => ({ it: look(fd, `/proc/${pid}/fd/${fd}`) }));
    return seen === undefined ? [] : [seen.it];
  });
}

/** What they are, such as `/dev/fuse` or `socket:[12345]`. */
export function linksOfDescriptors(pid: number): string[] {
  return ofDescriptors(pid, (_, path) => readlinkSync(path));
}
