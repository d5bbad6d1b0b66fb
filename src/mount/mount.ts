import { closeSync } from 'node:fs';
import { flagsOf, mount } from '../sys/mount.ts';
import { quote } from '../text/quote.ts';
import { reason } from '../text/reason.ts';
import { isRoot, openFuse } from './access.ts';
import { mountByFusermount } from './fusermount.ts';
import { identify, type MountIdentity } from './identity.ts';
import { MountError } from './mount-error.ts';
import { FSNAME, FSTYPE, fuseOptions, type MountOptions } from './options.ts';

/** A mount and its end of the connection. */
export interface FuseMount {
  /** The descriptor of /dev/fuse to serve it with. */
  readonly fd: number;
  readonly identity: MountIdentity;
}

/** Mounts a FUSE file system on a directory that was claimed. Throws MountError. */
export async function mountFuse(dir: string, options: MountOptions): Promise<FuseMount> {
  const byItself = isRoot() && !options.autoUnmount;
  const fd = byItself ? mountAsRoot(dir, options) : await mountByFusermount(dir, options);
  const identity = identify(fd, dir);
  if (identity !== undefined) return { fd, identity };
  closeSync(fd);
  throw new MountError(`Cannot mount on ${quote(dir)}: somebody unmounted it at once.`);
}

function mountAsRoot(dir: string, options: MountOptions): number {
  const fd = openFuse();
  try {
    const flags = flagsOf(['nosuid', 'nodev', ...(options.words ?? [])]);
    // 40000 is S_IFDIR in octal: the root's kind, which the kernel wants to know before it can ask.
    const data = [`fd=${fd}`, 'rootmode=40000', 'user_id=0', 'group_id=0', ...fuseOptions(options)];
    mount(options.fsname ?? FSNAME, dir, FSTYPE, flags, data.join(','));
    return fd;
  } catch (error) {
    closeSync(fd);
    throw new MountError(`Cannot mount on ${quote(dir)}: ${reason(error)}.`, { cause: error });
  }
}
