/** ramproc's public interface: proc-like files of your own, the RAM file, and mounting them. */

export { blob, procBlob } from './files/blob.ts';
export { simpleReadFromBuffer, simpleWriteToBuffer, type Text } from './files/buffers.ts';
export type { Cell } from './files/cell.ts';
export { dobool, dointvecMinmax, procDobool, procDointvecMinmax } from './files/dointvec.ts';
export { dostring, procDostring } from './files/dostring.ts';
export {
  _IO,
  _IOC_DIR,
  _IOC_NONE,
  _IOC_NR,
  _IOC_READ,
  _IOC_SIZE,
  _IOC_TYPE,
  _IOC_WRITE,
  _IOR,
  _IOW,
  _IOWR,
  type IoctlType,
} from './files/ioctl-number.ts';
export {
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLOUT,
  POLLPRI,
  POLLRDHUP,
  POLLRDNORM,
  POLLWRNORM,
} from './files/poll-events.ts';
export { procCreateSeq, type SeqStart, seq } from './files/seq.ts';
export { procCreateSingle, single } from './files/single.ts';
export { procTree } from './files/tree.ts';
export { type Truthy, WaitQueue } from './files/wait-queue.ts';
export { MountError } from './mount/mount-error.ts';
export type { MountOptions } from './mount/options.ts';
export type { Caller } from './proc-fs/caller.ts';
export type { DirOps } from './proc-fs/entries/dir-ops.ts';
export { ProcDirEntry } from './proc-fs/entries/entry.ts';
export { dir, file, type LinkTarget, type NodeKind, type ProcNode, symlink } from './proc-fs/entries/node.ts';
export {
  procAdd,
  procCreate,
  procMkdir,
  procRemove,
  procRoot,
  procSetSize,
  procSetUser,
  procSymlink,
} from './proc-fs/entries/proc-create.ts';
export type {
  Attr,
  AttrChange,
  MaybePromise,
  OrNothing,
  ProcFile,
  ProcHandler,
} from './proc-fs/handler.ts';
export { type FileLock, LockCommand, LockType } from './proc-fs/lock.ts';
export {
  defineModule,
  type Module,
  type ModuleContext,
  type ModuleDefinition,
} from './proc-fs/module/module.ts';
export type {
  BooleanParameter,
  Declaration,
  NumberParameter,
  Parameter,
  ParameterDeclarations,
  ParameterValues,
  StringParameter,
} from './proc-fs/module/parameters.ts';
export type { Placement, SharedHandler } from './proc-fs/placement.ts';
export { ProcOps } from './proc-fs/proc-ops.ts';
export { UserSliceReader, UserSliceWriter, type UserWindow } from './proc-fs/user-slice.ts';
export { Whence } from './proc-fs/whence.ts';
export { type Mount, mount, type TreeMountOptions } from './program/mount.ts';
export type { IoMode } from './ram-file/defaults.ts';
export type { Freed } from './ram-file/give-back.ts';
export { type RamFileOptions, RustProcRamFile } from './ram-file/module.ts';
export { Errno } from './sys/errno.ts';
export { type Timespec, UTIME_NOW } from './sys/time.ts';
export type { ChannelName } from './transport/kernel/channels.ts';
export type { KernelMountOptions } from './transport/kernel/main-thread/options.ts';
export type { Trace, TraceEvent } from './transport/trace.ts';
export type { Usage } from './transport/usage.ts';
export type { Wants } from './transport/wants.ts';
