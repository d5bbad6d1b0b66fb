import { EEXIST, EINVAL, ENOENT, ENOTDIR, EPERM, Errno, ESRCH } from '../../sys/errno.ts';
import type { Caller } from '../caller.ts';
import type { Attr, AttrChange, MaybePromise } from '../handler.ts';
import { whenThere } from '../later.ts';
import { answer, type ProcOps, type Raw } from '../proc-ops.ts';
import type { DirOps } from './dir-ops.ts';
import { Directory } from './directory.ts';
import { HeldOps } from './held-ops.ts';
import { checkName } from './name.ts';
import { type NodeKind, ProcNode } from './node.ts';
import { ROOT_INO, Tree } from './tree.ts';
import type { TreeWatcher, Written } from './watcher.ts';

/**
 * An entry of a tree like /proc: a file, a directory or a symbolic link, with its name and its place. The kernel's
 * `struct proc_dir_entry`.
 *
 * Disposing it removes it, and for a directory all that is below, at once: no lookup finds it again, and a mounted
 * tree tells the kernel to forget its name. A file that is still open keeps its handler until it is closed.
 *
 * @example
 * ```ts
 * const jobs: ProcDirEntry = procMkdir('jobs', 0o555, null);
 * jobs.path; // '/jobs'
 * jobs[Symbol.dispose](); // as procRemove(jobs), and as the end of a block with `using jobs = …`
 * ```
 */
export class ProcDirEntry implements Disposable {
  /** The inode number. */
  readonly ino: number;
  /** The name that it has in its directory; '' for a root. */
  readonly name: string;
  /** What it is. */
  readonly kind: NodeKind;
  /** Whether it was looked up (DirOps), and not added: nothing of it is believed for longer than a call. @internal */
  readonly isLookedUp: boolean;
  readonly #parent: ProcDirEntry | undefined;
  readonly #tree: Tree;
  readonly #directory: Directory;
  #node: ProcNode;
  #ops: ProcOps | undefined;
  /** Told of what is added through this: see `part`. */
  #added: ((part: Disposable) => void) | undefined;

  private constructor(
    parent: ProcDirEntry | undefined,
    name: string,
    node: ProcNode,
    { isLookedUp = false, same }: { isLookedUp?: boolean; same?: ProcDirEntry } = {},
  ) {
    this.#parent = parent;
    const kin = same ?? parent;
    this.#tree = kin === undefined ? new Tree() : kin.#tree;
    this.ino = parent === undefined ? ROOT_INO : this.#tree.nextIno();
    this.name = name;
    this.kind = node.kind;
    this.isLookedUp = isLookedUp;
    this.#node = node;
    this.#ops = this.#opsOf(node);
    if (same !== undefined) {
      this.#directory = same.#directory;
      return;
    }
    this.#directory = new Directory(
      (below, found) => new ProcDirEntry(this, below, found, { isLookedUp: true }),
    );
    if (node.names !== undefined) this.addNames(this.#namesOfNode());
  }

  /** A new, empty tree. `names` are looked up in its root, beside what is added. */
  static root(names?: DirOps): ProcDirEntry {
    return new ProcDirEntry(undefined, '', new ProcNode('directory', 0o555, { names }));
  }

  /** Adds an entry below this one. Throws as procMkdir does. */
  add(name: string, node: ProcNode): ProcDirEntry {
    if (this.kind !== 'directory') throw new Errno(ENOTDIR);
    if (this.isRemoved) throw new Errno(ENOENT);
    checkName(name);
    if (this.child(name) !== undefined) throw new Errno(EEXIST);
    const entry = new ProcDirEntry(this, name, node);
    for (const watcher of this.#tree.watchers) watcher.adding(entry);
    this.#directory.children.set(name, entry);
    this.#node.attributes.touch();
    this.#added?.(entry);
    return entry;
  }

  /** The same root, for one of several who add to it: `added` is given all that is added through the answer. @internal */
  part(added: (part: Disposable) => void): ProcDirEntry {
    const part = new ProcDirEntry(undefined, this.name, this.#node, { same: this });
    part.#added = added;
    return part;
  }

  /** Has more names looked up in a directory. Disposing the answer ends that. @internal */
  addNames(names: DirOps): Disposable {
    if (this.kind !== 'directory') throw new Errno(ENOTDIR);
    const added = this.#directory.addNames(names);
    this.#added?.(added);
    return added;
  }

  /** The directory above; a root's is itself. */
  get parent(): ProcDirEntry {
    return this.#parent ?? this;
  }

  /** Where it is in its tree, from the root: `/` or `/a/b`. */
  get path(): string {
    if (this.#parent === undefined) return '/';
    return `${this.#parent.#parent === undefined ? '' : this.#parent.path}/${this.name}`;
  }

  /** What was added, in that order. */
  get children(): IterableIterator<ProcDirEntry> {
    return this.#directory.children.values();
  }

  /** What was added under a name. */
  child(name: string): ProcDirEntry | undefined {
    return this.#directory.children.get(name);
  }

  /** What stands under a name, added or looked up. Throws ESRCH in a directory that is gone, and what DirOps throw. @internal */
  lookup(name: string, caller: Caller): MaybePromise<ProcDirEntry | undefined> {
    if (!this.isLookedUp) return this.#directory.lookup(name, caller);
    return whenThere(this.isGone(caller), (gone) => {
      if (gone) throw new Errno(ESRCH);
      return this.#directory.lookup(name, caller);
    });
  }

  /** The names that are listed beside `children`. @internal */
  get names(): ((caller: Caller) => AsyncGenerator<string>) | undefined {
    return this.#directory.isStatic ? undefined : (caller) => this.#directory.names(caller);
  }

  /** Whether what was looked up isn't there any more. @internal */
  isGone(caller: Caller): MaybePromise<boolean> {
    const parent = this.#parent;
    if (parent === undefined || !this.isLookedUp) return false;
    if (parent.isRemoved) return true;
    return whenThere(
      parent.isGone(caller),
      (gone) => gone || whenThere(parent.#directory.lookup(this.name, caller), (found) => found !== this),
    );
  }

  /** What it is made of now. @internal */
  get node(): ProcNode {
    return this.#node;
  }

  /**
   * Takes a node for another description of the same file. Who has it open goes on with the one that they opened. Returns whether
   * it can be: not where other threads or the kernel itself serve one of them. @internal
   */
  describe(node: ProcNode): boolean {
    if (node.kind !== this.kind || isPlaced(node) || isPlaced(this.#node)) return false;
    if ((node.names === undefined) !== (this.#node.names === undefined)) return false;
    node.attributes.keepTimes(this.#node.attributes.get());
    this.#node = node;
    this.#ops = this.#opsOf(node);
    return true;
  }

  /** A file's calls go here. @internal */
  get ops(): ProcOps | undefined {
    return this.#ops;
  }

  /** The number of hard links: for a directory its name, its `.`, and the `..` of each in it; 1 where nobody can count those. @internal */
  get nlink(): number {
    if (this.kind !== 'directory') return 1;
    if (this.#directory.isStatic) return 2 + this.#directory.directories;
    const more = this.#node.directories?.();
    return more === undefined ? 1 : 2 + this.#directory.directories + more;
  }

  /** Watches all of the tree. Disposing the answer ends that. @internal */
  watch(watcher: TreeWatcher): Disposable {
    const { watchers } = this.#tree;
    watchers.add(watcher);
    return { [Symbol.dispose]: () => watchers.delete(watcher) };
  }

  /** stat(2) of what was just looked up, or a negative error number. @internal */
  getattrFound(caller: Caller): MaybePromise<Attr | number> {
    return this.ops?.hasAttr ? this.ops.procGetattr(caller) : this.#node.attributes.get();
  }

  /** stat(2), or a negative error number: ESRCH for a directory that is gone (proc_pid_permission). @internal */
  getattr(caller: Caller): MaybePromise<Attr | number> {
    if (!this.isLookedUp || this.kind !== 'directory') return this.getattrFound(caller);
    return answer<boolean, Attr | number>(
      () => this.isGone(caller),
      (gone) => (gone ? -ESRCH : this.#node.attributes.get()),
    );
  }

  /** chmod(2), chown(2) and utimensat(2): 0, or a negative error number. @internal */
  setattr(change: AttrChange, caller: Caller): Raw {
    if (this.ops?.hasAttr) return this.ops.procSetattr(change, caller);
    // As for what belongs to a process: proc_setattr, fs/proc/base.c.
    if (this.isLookedUp && change.mode !== undefined) return -EPERM;
    return this.#node.attributes.change(change);
  }

  /** readlink(2): where a symbolic link leads, or a negative error number. EINVAL for anything else. @internal */
  readlink(caller: Caller): MaybePromise<string | number> {
    const { target } = this.#node;
    if (target === undefined) return -EINVAL;
    return answer<string, string | number>(
      () => (typeof target === 'string' ? target : target(caller)),
      (path) => path,
    );
  }

  /** Says that the program changed the file's bytes or attributes by itself: clients must not see cached ones. */
  changed(): void {
    for (const watcher of this.#tree.watchers) watcher.changed(this);
  }

  /** The same of these bytes alone. @internal */
  written(written: Written): void {
    for (const watcher of this.#tree.watchers) watcher.changed(this, written);
  }

  /** Removes it, and all that is below. */
  [Symbol.dispose](): void {
    const parent = this.#parent;
    if (parent === undefined || this.isLookedUp || this.isRemoved) return;
    for (const child of [...this.children]) child[Symbol.dispose]();
    parent.#directory.children.delete(this.name);
    parent.#node.attributes.touch();
    for (const watcher of this.#tree.watchers) watcher.removed(parent, this);
  }

  /** Whether it, or a directory that it was in, is no longer in its tree. */
  get isRemoved(): boolean {
    const parent = this.#parent;
    if (parent === undefined) return false;
    return this.isLookedUp ? parent.isRemoved : parent.child(this.name) !== this;
  }

  #opsOf({ ops }: ProcNode): ProcOps | undefined {
    return ops !== undefined && this.isLookedUp ? new HeldOps(ops, (caller) => this.isGone(caller)) : ops;
  }

  /** As the node has them that it is made of when somebody asks. */
  #namesOfNode(): DirOps {
    return {
      lookup: (name, caller) => this.#node.names?.lookup(name, caller),
      iterate: (caller) => this.#node.names?.iterate?.(caller) ?? [],
    };
  }
}

/** Whether anybody but the program's event loop serves it. */
function isPlaced({ ops }: ProcNode): boolean {
  return ops !== undefined && Object.values(ops.placement).some((value) => value !== undefined);
}
