import { ENOENT, EPERM } from '../sys/errno.ts';

/** What clients can't do in a tree that only its program changes; the error numbers are those that /proc gives. */
export const refusal = {
  /**
   * A new name: open with O_CREAT, mkdir, mknod, symlink, link. In /proc already the lookup of a name that isn't there
   * fails (proc_lookup_de), before anybody asks whether it could be created.
   */
  create: ENOENT,

  /** unlink and rmdir: a directory without these operations is EPERM (vfs_unlink, vfs_rmdir). */
  remove: EPERM,

  /** To a new name as `create`, onto one that is there as `remove` (vfs_rename). */
  rename: (there: boolean): number => (there ? EPERM : ENOENT),
} as const;
