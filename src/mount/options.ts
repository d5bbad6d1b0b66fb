import { MS_OPPOSITES, MS_WORDS } from '../sys/mount.ts';

/** What /proc/mounts shows in front of the directory, and behind `fuse.` as the type. */
export const FSNAME = 'ramproc';

/** The type of a mount of ours in /proc/mounts. */
export const FSTYPE = `fuse.${FSNAME}`;

/**
 * What a mount looks like from outside.
 *
 * @example
 * ```ts
 * await mount(procRoot, '/tmp/my-proc', { words: ['ro', 'noexec'], allowOther: true });
 * ```
 */
export interface MountOptions {
  /** What /proc/mounts shows in front of the directory. Default: `ramproc`. */
  readonly fsname?: string | undefined;
  /** Words of mount(8) such as `ro` or `noexec`, the later ones overriding. `nosuid` and `nodev` are the defaults. */
  readonly words?: readonly string[] | undefined;
  /** Whether other users than this one may use the mount, as far as modes let them. Default: false. */
  readonly allowOther?: boolean | undefined;
  /**
   * Whether the mount goes also when this process ends without unmounting, as by SIGKILL: fusermount3, which is needed
   * for it, stays for as long, waits, and unmounts. Default: false.
   */
  readonly autoUnmount?: boolean | undefined;
  /** Whether it may be mounted on a directory that has something in it, which is hidden then. Default: false. */
  readonly nonempty?: boolean | undefined;
  /**
   * Is told, in one sentence, what the program's user should know of a mount that succeeds all the same: that one of a dead
   * program was still there, and was replaced. Default: it goes to standard error.
   */
  readonly notice?: ((message: string) => void) | undefined;
}

/** The words of mount(8) that a mount understands, each with the one for its absence. */
export const mountWords: readonly (readonly string[])[] = Object.entries(MS_WORDS).map(([word, bit]) => [
  word,
  ...Object.keys(MS_OPPOSITES).filter((opposite) => MS_OPPOSITES[opposite] === bit),
]);

/** Whether a word is one of those. */
export function isMountWord(word: string): boolean {
  return mountWords.some((words) => words.includes(word));
}

/**
 * The words that fusermount knows, 2 and 3, and those that it must know, because without them the mount would not be what was
 * asked for. The others change nothing for a FUSE file system: its times are kept by who serves it.
 */
const FUSERMOUNT_WORDS = /^(r[ow]|(no)?(suid|dev|exec|atime)|a?sync|dirsync|nosymfollow)$/;

/** Name, type and words of a mount, as fusermount and libfuse take them, with a comma in the name escaped. */
export function fusermountOptions({ fsname = FSNAME, words = [] }: MountOptions): string[] {
  return [
    `fsname=${fsname.replace(/[\\,]/g, '\\$&')}`,
    `subtype=${FSNAME}`,
    ...words.filter((word) => FUSERMOUNT_WORDS.test(word)),
  ];
}

/** default_permissions: the kernel itself checks mode and owner, as for any local file. */
export function fuseOptions({ allowOther = false }: MountOptions): string[] {
  return ['default_permissions', ...(allowOther ? ['allow_other'] : [])];
}
