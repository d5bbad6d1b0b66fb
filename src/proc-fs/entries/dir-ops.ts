import type { Caller } from '../caller.ts';
import type { MaybePromise } from '../handler.ts';
import type { ProcNode } from './node.ts';

/**
 * The names of a directory that are looked up when somebody asks, as those of the processes in /proc: what the kernel's
 * `struct inode_operations` and `struct file_operations` of such a directory do.
 *
 * Nothing that is looked up is believed for longer than the call. A descriptor that is held of a file below, or of a directory, asks
 * again too: once `lookup` finds something else or nothing, reads and writes are ESRCH, and a directory is empty.
 *
 * @example A directory for each job, which comes and goes with it.
 * ```ts
 * procMkdir('jobs', 0o555, root, {
 *   lookup: (id) => jobs.has(id) ? dir(0o555, { state: single(0o444, () => `${jobs.get(id)?.state}\n`) }) : undefined,
 *   iterate: () => jobs.keys(),
 * });
 * ```
 */
export interface DirOps {
  /**
   * What stands under `name` now, or nothing: ENOENT. `name` may be any that a client asks for, also one that no listing
   * has, or `toString`: look it up in a Map, or by Object.hasOwn.
   *
   * Return the same node for as long as it is the same thing, or a new one each time: both are taken for the same file, with the
   * same inode number, while somebody knows it. When a node that was returned more than once gives way to another, that is another
   * file, and the first is gone. May throw an Errno, or be async.
   */
  lookup(name: string, caller: Caller): MaybePromise<ProcNode | undefined>;

  /**
   * The names that are listed, from the start, for one reader. Each is looked up as well, and one that isn't there is left out.
   * An iterator whose reader goes is closed (`return`). Missing: no names are listed, and all can be looked up.
   */
  iterate?(caller: Caller): Iterable<string> | AsyncIterable<string>;
}
