import { closeSync } from 'node:fs';
import { EBUSY, Errno } from '../sys/errno.ts';
import { flagsOf, MS_OPPOSITES, MS_REMOUNT, MS_WORDS, mount } from '../sys/mount.ts';
import { type MountInfo, mountIdOf } from '../sys/mountinfo.ts';
import { openPlace } from '../sys/place.ts';
import { reason } from '../text/reason.ts';
import { isRoot } from './access.ts';
import { holders } from './holders.ts';
import { FSNAME, FSTYPE } from './options.ts';

const ATIME = flagsOf(['noatime', 'relatime', 'strictatime']);

/** Which flags a mount has. What /proc shows neither way is strictatime: see show_mnt_opts of Linux. */
export function flagsOfMount({ options }: MountInfo): number {
  const flags = flagsOf(options);
  return flags & ATIME ? flags : flags | flagsOf(['strictatime']);
}

/** Flags that /proc doesn't show. */
const UNSEEN = flagsOf(['silent', 'iversion']);

/** Which flags it is to have when words of mount(8) are said of it; what isn't said stays. */
export function changedFlags(present: number, words: readonly string[]): number {
  let flags = present;
  for (const word of words) {
    const bit = MS_WORDS[word] ?? MS_OPPOSITES[word] ?? 0;
    if (bit & ATIME || word === 'atime') flags &= ~ATIME;
    flags = (flags | (MS_WORDS[word] ?? 0)) & ~(MS_OPPOSITES[word] ?? 0);
  }
  return (flags & ATIME ? flags : flags | flagsOf(['relatime'])) & ~UNSEEN;
}

/**
 * Gives a mount other flags: the kernel's own remount, which files that are open for writing keep from becoming read-only, as on any
 * file system (sb_prepare_remount_readonly). Throws an Error with the last part of a sentence.
 */
export function remountFuse(there: MountInfo, flags: number): void {
  if (!isRoot()) {
    throw new Error(
      'the kernel lets only root change flags of a mount, and fusermount3 can\'t; as root, "mount -o remount,…" does it, and "--mode 0444" keeps others from writing',
    );
  }
  const place = openPlace(there.dir);
  try {
    if (mountIdOf(place) !== there.id) throw new Error('another mount has just come in its way; try again');
    mount(FSNAME, `/proc/self/fd/${place}`, FSTYPE, flags | MS_REMOUNT, '');
  } catch (error) {
    if (!(error instanceof Errno && error.errno === EBUSY)) throw new Error(reason(error), { cause: error });
    const who = holders(there).map(({ pid, command }) => `process ${pid} (${command})`);
    const by = who.length > 0 ? who.join(', ') : 'a process that you may not see';
    throw new Error(`a file in it is open for writing, by ${by}; end that first`, { cause: error });
  } finally {
    closeSync(place);
  }
}
