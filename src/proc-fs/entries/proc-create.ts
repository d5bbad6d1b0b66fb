import type { ProcHandler } from '../handler.ts';
import type { ProcOps } from '../proc-ops.ts';
import type { DirOps } from './dir-ops.ts';
import { ProcDirEntry } from './entry.ts';
import { file, type LinkTarget, ProcNode, symlink } from './node.ts';

/**
 * The tree that `procCreate` and its kin add to when they are given no parent: this program's /proc.
 *
 * @example
 * ```ts
 * procCreateSingle('version', 0o444, null, () => '1.0\n');
 * await mount(procRoot, '/tmp/my-proc'); // cat /tmp/my-proc/version
 * ```
 */
export const procRoot = ProcDirEntry.root();

/**
 * Creates a file. Source: proc_create, fs/proc/generic.c.
 *
 * @param name Of 1 to 255 bytes.
 * @param mode Permission bits, 0 to 0o7777.
 * @param parent The directory, or null for `procRoot`.
 * @param ops What the file does; as ProcOps also where and how it runs.
 *
 * Throws an Errno: ENOENT for an empty name, EEXIST for one that is there (or `.` and `..`), EINVAL for one with a `/`, a NUL or
 * half a surrogate pair in it, ENAMETOOLONG over 255 bytes, ENOTDIR below a file, ENOENT below a directory that was removed; and a
 * MountError when the tree is mounted in a way in which the file can't be served.
 *
 * @example
 * ```ts
 * procCreate('uptime', 0o444, null, {
 *   read: (_file, to, offset) => simpleReadFromBuffer(to, offset, `${process.uptime()}\n`),
 * });
 * ```
 */
export function procCreate<P>(
  name: string,
  mode: number,
  parent: ProcDirEntry | null,
  ops: ProcOps | ProcHandler<P>,
): ProcDirEntry {
  return procAdd(name, parent, file(mode, ops));
}

/**
 * Creates a directory. Source: proc_mkdir_mode, fs/proc/generic.c.
 *
 * @param ops Names that are looked up in it, beside the files that are created in it. Default: none.
 *
 * Throws as procCreate does.
 *
 * @example
 * ```ts
 * const jobs = procMkdir('jobs', 0o555, null);
 * procCreateSingle('count', 0o444, jobs, () => '0\n');
 * ```
 */
export function procMkdir(
  name: string,
  mode: number,
  parent: ProcDirEntry | null,
  ops?: DirOps,
): ProcDirEntry {
  return procAdd(name, parent, new ProcNode('directory', mode, { names: ops }));
}

/**
 * Creates a symbolic link. Source: proc_symlink, fs/proc/generic.c.
 *
 * @param target Where it leads, up to 4095 bytes; a function is asked each time, and may throw an Errno.
 *
 * Throws as procCreate does.
 *
 * @example
 * ```ts
 * procSymlink('self', null, ({ pid }) => String(pid));
 * ```
 */
export function procSymlink(name: string, parent: ProcDirEntry | null, target: LinkTarget): ProcDirEntry {
  return procAdd(name, parent, symlink(target));
}

/**
 * Gives a node a name and a place.
 *
 * Throws as procCreate does.
 *
 * @example
 * ```ts
 * procAdd('version', null, single(0o444, () => '1.0\n'));
 * ```
 */
export function procAdd(name: string, parent: ProcDirEntry | null, node: ProcNode): ProcDirEntry {
  return (parent ?? procRoot).add(name, node);
}

/**
 * Removes a file, or a directory with all that is in it; what is removed already stays so. Source: proc_remove,
 * fs/proc/generic.c. Who has a file open goes on reading and writing it until they close it: there the kernel's answer is EIO.
 *
 * @example
 * ```ts
 * const entry = procCreateSingle('hello', 0o444, null, () => 'hello\n');
 * procRemove(entry); // `using entry = …` does it at the end of the block
 * ```
 */
export function procRemove(entry: ProcDirEntry): void {
  entry[Symbol.dispose]();
}

/**
 * Sets the owner of a file whose handler has no `getattr`. Default: this process's. Source: proc_set_user, fs/proc/generic.c.
 *
 * @param uid 0 to 2^32 - 1. Throws a RangeError for anything else.
 * @param gid The same.
 *
 * @example
 * ```ts
 * procSetUser(procCreateSingle('mine', 0o600, null, () => 'secret\n'), 1000, 1000);
 * ```
 */
export function procSetUser(entry: ProcDirEntry | ProcNode, uid: number, gid: number): void {
  nodeOf(entry).attributes.setUser(uid, gid);
  if (entry instanceof ProcDirEntry) entry.changed();
}

/**
 * Sets the size in bytes that stat(2) shows of a file whose handler has no `getattr`. Default: 0, as in /proc.
 * Source: proc_set_size, include/linux/proc_fs.h.
 *
 * @param size 0 to 2^53 - 1. Throws a RangeError for anything else.
 *
 * @example
 * ```ts
 * procSetSize(procBlob('logo', 0o444, null, bytes), bytes.length);
 * ```
 */
export function procSetSize(entry: ProcDirEntry | ProcNode, size: number): void {
  nodeOf(entry).attributes.setSize(size);
  if (entry instanceof ProcDirEntry) entry.changed();
}

function nodeOf(entry: ProcDirEntry | ProcNode): ProcNode {
  return entry instanceof ProcDirEntry ? entry.node : entry;
}
