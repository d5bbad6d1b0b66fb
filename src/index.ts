/** ramproc's public interface: proc-like files of your own, the RAM file, and mounting them. */

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
export { ProcDirEntry, procCreate, procMkdir, procRoot } from './proc-fs/proc-dir-entry.ts';
export { ProcOps } from './proc-fs/proc-ops.ts';
export { UserSliceReader, UserSliceWriter } from './proc-fs/user-slice.ts';
export { Whence } from './proc-fs/whence.ts';
export { type RamFileOptions, RustProcRamFile } from './ram-file/module.ts';
export { Errno } from './sys/errno.ts';
export { KernelMount, type KernelMountOptions } from './transport/kernel/main-thread/kernel-mount.ts';
export { LibfuseMount, type LibfuseMountOptions } from './transport/libfuse/libfuse-mount.ts';
