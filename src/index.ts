/** ramproc's public interface: proc-like files of your own, the RAM file, and mounting them. */

export { MountError } from './mount/mount-error.ts';
export type { MountOptions } from './mount/options.ts';
export type {
  Attr,
  AttrChange,
  MaybePromise,
  ProcFile,
  ProcHandler,
  SharedHandler,
} from './proc-fs/handler.ts';
export { ProcDirEntry, procCreate, procMkdir, procRoot } from './proc-fs/proc-dir-entry.ts';
export { ProcFlag, ProcOps } from './proc-fs/proc-ops.ts';
export { UserSliceReader, UserSliceWriter } from './proc-fs/user-slice.ts';
export { Whence } from './proc-fs/whence.ts';
export { type RamFileOptions, RustProcRamFile } from './ram-file/module.ts';
export { Errno } from './sys/errno.ts';
export { KernelSession, type KernelSessionOptions } from './transport/kernel/main-thread/kernel-mount.ts';
export { LibfuseSession, type LibfuseSessionOptions } from './transport/libfuse/libfuse-mount.ts';
