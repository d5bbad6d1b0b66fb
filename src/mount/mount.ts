import { closeSync } from 'node:fs';
import { MS_OPPOSITES, MS_WORDS, mount } from '../sys/mount.ts';
import { quote } from '../text/quote.ts';
import { reason } from '../text/reason.ts';
import { isRoot, openFuse } from './access.ts';
import { mountByFusermount } from './fusermount.ts';
import { MountError } from './mount-error.ts';
import { FSNAME, FSTYPE, fuseOptions, type MountOptions } from './options.ts';

/** Mounts a FUSE file system on `dir`. Resolves with the descriptor of /dev/fuse to serve it with. Throws MountError. */
export async function mountFuse(dir: string, options: MountOptions): Promise<number> {
  return isRoot() && !options.autoUnmount ? mountAsRoot(dir, options) : mountByFusermount(dir, options);
}

function mountAsRoot(dir: string, options: MountOptions): number {
  const fd = openFuse();
  try {
    let flags = 0;
    for (const word of ['nosuid', 'nodev', ...(options.words ?? [])]) {
      flags = (flags | (MS_WORDS[word] ?? 0)) & ~(MS_OPPOSITES[word] ?? 0);
    }
    // 40000 is S_IFDIR in octal: the root's kind, which the kernel wants to know before it can ask.
    const data = [`fd=${fd}`, 'rootmode=40000', 'user_id=0', 'group_id=0', ...fuseOptions(options)];
    mount(FSNAME, dir, FSTYPE, flags, data.join(','));
    return fd;
  } catch (error) {
    closeSync(fd);
    throw new MountError(`Cannot mount on ${quote(dir)}: ${reason(error)}.`, { cause: error });
  }
}
