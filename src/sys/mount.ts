import { libcFunction } from './libc.ts';

/** Words of mount(8) for mount flags, with the bit that each sets. Source: linux/mount.h. */
export const MS_WORDS: Readonly<Record<string, number>> = {
  ro: 1,
  nosuid: 2,
  nodev: 4,
  noexec: 8,
  sync: 16,
  dirsync: 128,
  noatime: 1024,
};

/** The words for the absence of those. */
export const MS_OPPOSITES: Readonly<Record<string, number>> = {
  rw: 1,
  suid: 2,
  dev: 4,
  exec: 8,
  async: 16,
  atime: 1024,
};

/** umount2(2): cut the connection, which ends what waits for it. */
export const MNT_FORCE = 1;

/** umount2(2): detach now, go when the last user goes. */
export const MNT_DETACH = 2;

/** umount2(2): not what a symbolic link leads to. */
export const UMOUNT_NOFOLLOW = 8;

/** Source: mount(2). */
export const mount = libcFunction<
  [source: string, target: string, type: string, flags: number, data: string]
>('mount', 'int', ['str', 'str', 'str', 'ulong', 'str']);

/** Source: umount2(2). */
export const umount2 = libcFunction<[target: string, flags: number]>('umount2', 'int', ['str', 'int']);
