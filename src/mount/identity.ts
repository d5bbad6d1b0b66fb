import { readFileSync } from 'node:fs';
import { type MountInfo, mounts } from '../sys/mountinfo.ts';
import { quote } from '../text/quote.ts';
import { FSTYPE } from './options.ts';

/**
 * Which mount it is, wherever it may be by now: its directory's parents can be renamed, and another can be mounted over it.
 *
 * Both numbers are given again once they are free. Whoever keeps this must know that the file system is still there: by its
 * connection, which ends with it.
 */
export interface MountIdentity extends Pick<MountInfo, 'id' | 'device'> {
  /** Where it was mounted. */
  readonly dir: string;
}

/**
 * The mount that was just made on `dir` by whatever way, from the connection that it is served by. Undefined when it is gone
 * already.
 */
export function identify(connection: number, dir: string): MountIdentity | undefined {
  const [, minor] =
    readFileSync(`/proc/self/fdinfo/${connection}`, 'utf8').match(/^fuse_connection:\s*(\d+)$/m) ?? [];
  // A directory that is to be seen in several places has several mounts (mount_namespaces(7), "SHARED SUBTREES").
  const ours = mounts().filter(({ type, device, dir: at }) =>
    minor === undefined ? type === FSTYPE && at === dir : device === `0:${minor}`,
  );
  const mount = ours.findLast((one) => one.dir === dir) ?? ours.at(-1);
  return mount && { id: mount.id, device: mount.device, dir };
}

/** Where a mount is now, or undefined when this namespace has it no more. */
export function present({ id, device }: MountIdentity): MountInfo | undefined {
  return mounts().find((mount) => mount.id === id && mount.device === device);
}

/**
 * The end of a sentence that says why a mount can't be unmounted without touching another: one lies over it, hides the way
 * to it, or is mounted in it and would go along. Undefined when none does.
 */
export function obstacle(mount: MountInfo): string | undefined {
  const all = mounts();
  const over = all.findLast((other) => isWithin(mount.dir, other.dir) && !isBase(all, other, mount));
  if (over !== undefined) {
    const where = over.dir === mount.dir ? 'it' : `${quote(over.dir)}, which hides it`;
    return `a file system of type ${over.type} is mounted over ${where}; unmount that first`;
  }
  const inside = all.findLast((other) => other.parent === mount.id);
  if (inside === undefined) return undefined;
  return `a file system of type ${inside.type} is mounted in it, on ${quote(inside.dir)}; unmount that first`;
}

/** Whether `mount` is `other`, or mounted on it, or on one that is. */
function isBase(all: readonly MountInfo[], other: MountInfo, mount: MountInfo): boolean {
  for (let at: MountInfo | undefined = mount; at !== undefined; ) {
    if (at.id === other.id) return true;
    const { id, parent }: MountInfo = at;
    at = parent === id ? undefined : all.find((one) => one.id === parent);
  }
  return false;
}

function isWithin(path: string, dir: string): boolean {
  return path === dir || path.startsWith(dir === '/' ? dir : `${dir}/`);
}
