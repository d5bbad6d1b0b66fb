/** ramproc's public interface: proc-like files of your own, the RAM file, and mounting them. */

export { simpleReadFromBuffer, simpleWriteToBuffer, type Text } from './files/buffers.ts';
export { procCreateSingle } from './files/single.ts';
export { MountError } from './mount/mount-error.ts';
export type { MountOptions } from './mount/options.ts';
export type { Caller } from './proc-fs/caller.ts';
export type {
  Attr,
  AttrChange,
  MaybePromise,
  ProcFile,
  ProcHandler,
} from './proc-fs/handler.ts';
export type { Placement, SharedHandler } from './proc-fs/placement.ts';
export {
  type LinkTarget,
  ProcDirEntry,
  procCreate,
  procMkdir,
  procRemove,
  procRoot,
  procSymlink,
} from './proc-fs/proc-dir-entry.ts';
export { ProcOps } from './proc-fs/proc-ops.ts';
export { UserSliceReader, UserSliceWriter } from './proc-fs/user-slice.ts';
export { Whence } from './proc-fs/whence.ts';
export { type Mount, mount, type TreeMountOptions } from './program/mount.ts';
export { type RamFileOptions, RustProcRamFile } from './ram-file/module.ts';
export { Errno } from './sys/errno.ts';
