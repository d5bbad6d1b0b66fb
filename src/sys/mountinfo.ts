import { readFileSync } from 'node:fs';

/** A mount of this process's namespace. */
export interface MountInfo {
  /** The mount's number: `mnt_id` in /proc/PID/fdinfo. */
  readonly id: number;
  /** The device as `major:minor`, in decimal. */
  readonly device: string;
  /** Where it is mounted. */
  readonly dir: string;
  /** The file system's type, such as `fuse.ramproc`. */
  readonly type: string;
  /** Of a FUSE mount, the number of the user who mounted it: `user_id` in its options. */
  readonly owner: number | undefined;
}

/** All mounts, in the order in which they were made. Source: proc_pid_mountinfo(5). */
export function mounts(): MountInfo[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [id = '', , device = '', , dir = ''] = line.split(' ');
      const [, type = '', , options = ''] = line.slice(line.indexOf(' - ') + 1).split(' ');
      const [, owner] = options.match(/(?:^|,)user_id=(\d+)/) ?? [];
      return {
        id: Number(id),
        device,
        dir: unescapeOctal(dir),
        type,
        owner: owner === undefined ? undefined : Number(owner),
      };
    });
}

/** The mount that a path at `dir` leads into: of several on the same directory, the last one. */
export function mountAt(dir: string): MountInfo | undefined {
  return mounts().findLast((mount) => mount.dir === dir);
}

/** Spaces, tabs, newlines and backslashes are written as three octal digits (mangle_path in the kernel). */
function unescapeOctal(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
