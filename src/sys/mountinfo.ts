import { readFileSync } from 'node:fs';

/** A mount of a namespace. */
export interface MountInfo {
  /** The mount's number, `mnt_id` in /proc/PID/fdinfo: one for all namespaces, and given again once the mount is gone. */
  readonly id: number;
  /** The number of the mount that it is mounted on. */
  readonly parent: number;
  /** The device as `major:minor`, in decimal. */
  readonly device: string;
  /** Where it is mounted. */
  readonly dir: string;
  /** The file system's type, such as `fuse.ramproc`. */
  readonly type: string;
  /** Its options: those of the mount, and then those of the file system. */
  readonly options: readonly string[];
  /** Of a FUSE mount, the number of the user who mounted it: `user_id` in its options. */
  readonly owner: number | undefined;
  /** And of the group: `group_id`. */
  readonly group: number | undefined;
}

/** All mounts of a process's namespace below its root directory, by default this one's. Source: proc_pid_mountinfo(5). */
export function mounts(pid: number | 'self' = 'self'): MountInfo[] {
  return readFileSync(`/proc/${pid}/mountinfo`, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [id = '', parent = '', device = '', , dir = '', own = ''] = line.split(' ');
      const [, type = '', , options = ''] = line.slice(line.indexOf(' - ') + 1).split(' ');
      const idOf = (name: string) => {
        const [, number] = options.match(new RegExp(`(?:^|,)${name}=(\\d+)`)) ?? [];
        return number === undefined ? undefined : Number(number);
      };
      return {
        id: Number(id),
        parent: Number(parent),
        device,
        dir: unescapeOctal(dir),
        type,
        options: [own, options].flatMap((some) => some.split(',')),
        owner: idOf('user_id'),
        group: idOf('group_id'),
      };
    });
}

/** The mount that a path at `dir` leads into: of several on the same directory, the one that no other is mounted on. */
export function mountAt(dir: string): MountInfo | undefined {
  const there = mounts().filter((mount) => mount.dir === dir);
  return there.findLast(({ id }) => !there.some(({ parent }) => parent === id));
}

/** The number of the mount that an open file lies in. The file isn't asked: it may be of a mount that doesn't answer. */
export function mountIdOf(fd: number): number {
  const [, id] = readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8').match(/^mnt_id:\s*(\d+)$/m) ?? [];
  return Number(id);
}

/** Spaces, tabs, newlines and backslashes are written as three octal digits (mangle_path in the kernel). */
function unescapeOctal(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
