import { libcFunction } from './libc.ts';

/** Words of mount(8) for mount flags, with the bit that each sets. Source: linux/mount.h. */
export const MS_WORDS: Readonly<Record<string, number>> = {
  ro: 1,
  nosuid: 2,
  nodev: 4,
  noexec: 8,
  sync: 16,
  dirsync: 128,
  nosymfollow: 256,
  noatime: 1024,
  nodiratime: 2048,
  silent: 32768,
  relatime: 1 << 21,
  iversion: 1 << 23,
  strictatime: 1 << 24,
  lazytime: 1 << 25,
};

/** The words for the absence of those. */
export const MS_OPPOSITES: Readonly<Record<string, number>> = {
  rw: 1,
  suid: 2,
  dev: 4,
  exec: 8,
  async: 16,
  symfollow: 256,
  atime: 1024,
  diratime: 2048,
  loud: 32768,
  norelatime: 1 << 21,
  noiversion: 1 << 23,
  nostrictatime: 1 << 24,
  nolazytime: 1 << 25,
};

/** The flags that words say, the later ones overriding. */
export function flagsOf(words: readonly string[]): number {
  return words.reduce((flags, word) => (flags | (MS_WORDS[word] ?? 0)) & ~(MS_OPPOSITES[word] ?? 0), 0);
}

/** Whether words leave atime to move: strictatime wins over noatime (path_mount in the kernel). */
export function keepsAtime(words: readonly string[]): boolean {
  return flagsKeepAtime(flagsOf(words));
}

/** The same of flags. */
export function flagsKeepAtime(flags: number): boolean {
  return (flags & bit('noatime')) === 0 || (flags & bit('strictatime')) !== 0;
}

function bit(word: string): number {
  return MS_WORDS[word] ?? 0;
}

/** mount(2): change what is mounted there. */
export const MS_REMOUNT = 32;

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
