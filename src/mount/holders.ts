import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import type { MountInfo } from '../sys/mountinfo.ts';
import { attempt, processes } from '../sys/processes.ts';

/** A process that keeps a mount busy. */
export interface Holder {
  readonly pid: number;
  readonly command: string;
}

/**
 * Who uses a mount: as working or root directory, as program, by an open descriptor, or by a mapping.
 *
 * All of it is read from /proc, and no path is followed into the mount, whose daemon may be dead. Processes of other
 * users are seen by root only.
 */
export function holders(mount: MountInfo): Holder[] {
  return processes()
    .filter((pid) => pid !== process.pid && holds(pid, mount))
    .map((pid) => ({ pid, command: commandOf(pid) }));
}

function holds(pid: number, mount: MountInfo): boolean {
  const proc = `/proc/${pid}`;
  return (
    ['cwd', 'root', 'exe'].some((link) =>
      isBelow(
        attempt(() => readlinkSync(`${proc}/${link}`)),
        mount.dir,
      ),
    ) ||
    (attempt(() => readdirSync(`${proc}/fdinfo`)) ?? []).some(
      (fd) => mountId(`${proc}/fdinfo/${fd}`) === mount.id,
    ) ||
    maps(proc, mount.device)
  );
}

function isBelow(path: string | undefined, dir: string): boolean {
  return path === dir || (path?.startsWith(`${dir}/`) ?? false);
}

function mountId(fdinfo: string): number | undefined {
  const [, id] = attempt(() => readFileSync(fdinfo, 'utf8'))?.match(/^mnt_id:\s*(\d+)$/m) ?? [];
  return id === undefined ? undefined : Number(id);
}

/** Lines of maps have the device in hexadecimal, two digits or more each. Source: proc_pid_maps(5). */
function maps(proc: string, device: string): boolean {
  const [major = 0, minor = 0] = device.split(':').map(Number);
  const hex = (part: number) => part.toString(16).padStart(2, '0');
  const field = ` ${hex(major)}:${hex(minor)} `;
  return attempt(() => readFileSync(`${proc}/maps`, 'utf8'))?.includes(field) ?? false;
}

/** What ps shows of a process: its command line, or its name when it has none. */
export function commandOf(pid: number): string {
  const line = attempt(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8'))
    ?.replaceAll('\0', ' ')
    .trim();
  return line || attempt(() => readFileSync(`/proc/${pid}/comm`, 'utf8').trim()) || '?';
}
