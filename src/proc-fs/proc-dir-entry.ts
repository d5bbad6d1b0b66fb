import { EEXIST, EINVAL, ENAMETOOLONG, ENOENT, ENOTDIR, Errno } from '../sys/errno.ts';
import { type Timespec, UTIME_NOW } from '../sys/time.ts';
import type { Caller } from './caller.ts';
import type { Attr, AttrChange, MaybePromise, ProcHandler } from './handler.ts';
import { changeError, errnoOf, ProcOps, type Raw } from './proc-ops.ts';

/** The longest name, in bytes of UTF-8. Source: NAME_MAX, include/uapi/linux/limits.h. */
export const NAME_MAX = 255;

/** Who wants to know when a tree changes: a transport that has it mounted. */
export interface TreeWatcher {
  /** `entry` is about to be added. Throws an Error when the mount can't serve it, and then it isn't. */
  adding(entry: ProcDirEntry): void;
  /** `entry` was just removed from `parent`. */
  removed(parent: ProcDirEntry, entry: ProcDirEntry): void;
  /** The bytes or attributes of `entry` were changed, by the program itself. */
  changed(entry: ProcDirEntry): void;
}

/** The root's inode number, in every tree. */
const ROOT_INO = 1;

function now(): Timespec {
  const ms = Date.now();
  return { sec: Math.floor(ms / 1000), nsec: (ms % 1000) * 1_000_000 };
}

export type NodeKind = 'file' | 'directory' | 'symlink';

/** Where a symbolic link leads: always the same, or made for each who asks. */
export type LinkTarget = string | ((caller: Caller) => string);

/**
 * An entry of a tree like /proc: a directory, a file with its ProcOps, or a symbolic link. The kernel's
 * `struct proc_dir_entry`.
 *
 * Disposing it removes it, and for a directory all that is below, at once: no lookup finds it again, and a mounted
 * tree tells the kernel to forget its name. A file that is still open keeps its handler until it is closed.
 */
export class ProcDirEntry implements Disposable {
  /** The inode number. */
  readonly ino: number;
  /** '' for a root. */
  readonly name: string;
  readonly kind: NodeKind;
  /** A file's calls go here; others have none. */
  readonly ops: ProcOps | undefined;
  readonly #target: LinkTarget | undefined;
  readonly #parent: ProcDirEntry | undefined;
  readonly #children = new Map<string, ProcDirEntry>();
  readonly #watchers = new Set<TreeWatcher>();
  readonly #attr: Attr;
  /**
   * Of a root: the last inode number that was given in its tree. Each is given once, so that a removed entry's is never
   * another's; and the same program's tree has the same ones each time, so that a recorded session can be replayed.
   */
  #lastIno = ROOT_INO;

  private constructor(
    parent: ProcDirEntry | undefined,
    name: string,
    mode: number,
    kind: NodeKind,
    content: ProcOps | LinkTarget | undefined,
  ) {
    const created = now();
    this.ino = parent === undefined ? ROOT_INO : ++parent.#root.#lastIno;
    this.name = name;
    this.kind = kind;
    if (content instanceof ProcOps) this.ops = content;
    else this.#target = content;
    this.#parent = parent;
    this.#attr = {
      mode: mode & 0o7777,
      uid: process.getuid?.() ?? 0,
      gid: process.getgid?.() ?? 0,
      size: 0,
      blocks: 0,
      blksize: 4096,
      atime: created,
      mtime: created,
      ctime: created,
    };
  }

  /** A new, empty tree. */
  static root(): ProcDirEntry {
    return new ProcDirEntry(undefined, '', 0o555, 'directory', undefined);
  }

  /** Adds an entry below this one: a file with ProcOps, a symbolic link with a target, or a directory without either. */
  add(name: string, mode: number, content?: ProcOps | LinkTarget): ProcDirEntry {
    if (this.kind !== 'directory') throw new Errno(ENOTDIR);
    if (this.isRemoved) throw new Errno(ENOENT);
    checkName(name);
    if (this.#children.has(name)) throw new Errno(EEXIST);
    const kind = content instanceof ProcOps ? 'file' : content === undefined ? 'directory' : 'symlink';
    const entry = new ProcDirEntry(this, name, mode, kind, content);
    for (const watcher of this.#root.#watchers) watcher.adding(entry);
    this.#children.set(name, entry);
    this.#touch();
    return entry;
  }

  /** The directory above; a root's is itself. */
  get parent(): ProcDirEntry {
    return this.#parent ?? this;
  }

  get children(): IterableIterator<ProcDirEntry> {
    return this.#children.values();
  }

  child(name: string): ProcDirEntry | undefined {
    return this.#children.get(name);
  }

  /** The number of hard links: for a directory its name, its `.`, and the `..` of each directory in it. */
  get nlink(): number {
    if (this.kind !== 'directory') return 1;
    let links = 2;
    for (const child of this.children) if (child.kind === 'directory') links++;
    return links;
  }

  /** Watches all of the tree, when called on its root. Disposing the answer ends that. */
  watch(watcher: TreeWatcher): Disposable {
    this.#watchers.add(watcher);
    return { [Symbol.dispose]: () => this.#watchers.delete(watcher) };
  }

  /** stat(2), or a negative error number. */
  getattr(caller: Caller): MaybePromise<Attr | number> {
    return this.ops?.hasAttr ? this.ops.procGetattr(caller) : { ...this.#attr };
  }

  /** chmod(2), chown(2) and utimensat(2): 0, or a negative error number. */
  setattr(change: AttrChange, caller: Caller): Raw {
    if (this.ops?.hasAttr) return this.ops.procSetattr(change, caller);
    const wrong = changeError(change);
    if (wrong !== 0) return wrong;
    const present = now();
    const { atime, mtime, ...rest } = change;
    Object.assign(this.#attr, rest, { ctime: present });
    if (atime !== undefined) this.#attr.atime = atime.nsec === UTIME_NOW ? present : atime;
    if (mtime !== undefined) this.#attr.mtime = mtime.nsec === UTIME_NOW ? present : mtime;
    return 0;
  }

  /** readlink(2): where a symbolic link leads, or a negative error number. EINVAL for anything else. */
  readlink(caller: Caller): string | number {
    if (this.#target === undefined) return -EINVAL;
    try {
      return typeof this.#target === 'string' ? this.#target : this.#target(caller);
    } catch (error) {
      return errnoOf(error);
    }
  }

  /** Says that the program changed the file's bytes or attributes by itself: clients must not see cached ones. */
  changed(): void {
    for (const watcher of this.#root.#watchers) watcher.changed(this);
  }

  [Symbol.dispose](): void {
    const parent = this.#parent;
    if (parent === undefined || this.isRemoved) return;
    for (const child of [...this.children]) child[Symbol.dispose]();
    parent.#children.delete(this.name);
    parent.#touch();
    const root = parent.#root;
    for (const watcher of root.#watchers) watcher.removed(parent, this);
  }

  /** Whether it, or a directory that it was in, is no longer in its tree. */
  get isRemoved(): boolean {
    return this.#parent !== undefined && this.#parent.child(this.name) !== this;
  }

  get #root(): ProcDirEntry {
    return this.#parent === undefined ? this : this.#parent.#root;
  }

  #touch(): void {
    this.#attr.mtime = this.#attr.ctime = now();
  }
}

/** Throws the errno of mkdir(2) for the same name; a `/` or NUL can't be part of one name at all. */
export function checkName(name: string): void {
  if (name === '') throw new Errno(ENOENT);
  if (name === '.' || name === '..') throw new Errno(EEXIST);
  if (name.includes('/') || name.includes('\0')) throw new Errno(EINVAL);
  // Half a surrogate pair has no bytes of its own: clients would list another name than they could open.
  if (Buffer.from(name).toString() !== name) throw new Errno(EINVAL);
  if (Buffer.byteLength(name) > NAME_MAX) throw new Errno(ENAMETOOLONG);
}

/** The tree that `procCreate` and `procMkdir` add to when they are given no parent: this program's /proc. */
export const procRoot = ProcDirEntry.root();

/**
 * Creates a directory. Source: proc_mkdir_mode, fs/proc/generic.c.
 *
 * `parent` null is `procRoot`. Throws an Errno: ENOENT for an empty name, EEXIST for one that is there (or `.` and
 * `..`), EINVAL for one with a `/`, a NUL or half a surrogate pair in it, ENAMETOOLONG over 255 bytes, ENOTDIR below
 * a file, ENOENT below a directory that was removed.
 */
export function procMkdir(name: string, mode: number, parent: ProcDirEntry | null): ProcDirEntry {
  return (parent ?? procRoot).add(name, mode);
}

/**
 * Creates a file whose calls go to `ops`: a handler, or one with where it runs. Source: proc_create, fs/proc/generic.c.
 * Otherwise as procMkdir.
 *
 * @example
 * ```ts
 * procCreate('pid', 0o444, null, { read: (_file, to, offset) => to.write(Buffer.from(`${process.pid}\n`).subarray(offset)) });
 * ```
 */
export function procCreate<P>(
  name: string,
  mode: number,
  parent: ProcDirEntry | null,
  ops: ProcOps | ProcHandler<P>,
): ProcDirEntry {
  return (parent ?? procRoot).add(name, mode, ops instanceof ProcOps ? ops : new ProcOps(ops as ProcHandler));
}

/**
 * Creates a symbolic link. `target` is where it leads, or makes that for each who asks. Source: proc_symlink,
 * fs/proc/generic.c. Otherwise as procMkdir.
 *
 * @example
 * ```ts
 * procSymlink('self', null, ({ pid }) => String(pid));
 * ```
 */
export function procSymlink(name: string, parent: ProcDirEntry | null, target: LinkTarget): ProcDirEntry {
  return (parent ?? procRoot).add(name, 0o777, target);
}

/** Removes an entry, and for a directory all that is below: as disposing it. Source: proc_remove, fs/proc/generic.c. */
export function procRemove(entry: ProcDirEntry): void {
  entry[Symbol.dispose]();
}
