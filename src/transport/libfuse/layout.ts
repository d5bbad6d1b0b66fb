/** The C structs of fuse-native, libfuse 2.9 and glibc that the transport looks into, on x86-64. */
import { struct } from '../../abi/c-struct.ts';
import type { NativeRequest } from './fuse-native.ts';

/** `count` words of 8 bytes that nobody here looks at. */
function words(name: string, count: number): Record<`${string}_${number}`, 'u64'> {
  return Object.fromEntries(Array.from({ length: count }, (_, i) => [`${name}_${i}`, 'u64']));
}

/** fuse_thread_t, fuse-native.c: what the addon keeps of a mount. */
export const nativeThread = struct({
  env: 'u64',
  thread: 'u64',
  ...words('attr', 7),
  ctx: 'u64',
  malloc: 'u64',
  ...words('handlers', 35),
  fuse: 'u64',
  ch: 'u64',
  ...words('mnt', 1024 / 8),
  ...words('mntopts', 1024 / 8),
  mounted: 'i32',
  ...words('async', 16),
  ...words('mut', 5),
  ...words('sem', 4),
});

/** fuse_thread_locals_t, fuse-native.c: what it keeps of a request. Pointers are numbers: user space ends below 2^47. */
export const nativeRequest = struct({
  self: 'u64',
  op: 'u32',
  op_fn: 'u64',
  path: 'u64',
  dest: 'u64',
  linkname: 'u64',
  info: 'u64',
  buf: 'u64',
  offset: 'u64',
  len: 'u64',
  mode: 'u32',
  dev: 'u64',
  uid: 'u32',
  gid: 'u32',
  atime: 'i64',
  mtime: 'i64',
  res: 'i32',
  name: 'u64',
  value: 'u64',
  list: 'u64',
  size: 'u64',
  position: 'u32',
  flags: 'i32',
  stat: 'u64',
  statvfs: 'u64',
  readdir_filler: 'u64',
  fuse: 'u64',
  ...words('sem', 4),
  ...words('async', 16),
});

/** struct fuse_file_info, fuse_common.h of libfuse 2.9; `bits` are its bit fields. */
export const fuseFileInfo = struct({
  flags: 'i32',
  fh_old: 'u64',
  writepage: 'i32',
  bits: 'u32',
  fh: 'u64',
  lock_owner: 'u64',
});

/** `nonseekable`, the fourth of the bit fields. */
export const INFO_NONSEEKABLE = 1 << 3;

/** struct stat, bits/struct_stat.h. */
export const stat = struct({
  dev: 'u64',
  ino: 'u64',
  nlink: 'u64',
  mode: 'u32',
  uid: 'u32',
  gid: 'u32',
  padding: 'u32',
  rdev: 'u64',
  size: 'i64',
  blksize: 'i64',
  blocks: 'i64',
  atime: 'i64',
  atimensec: 'u64',
  mtime: 'i64',
  mtimensec: 'u64',
  ctime: 'i64',
  ctimensec: 'u64',
  ...words('reserved', 3),
});

/** What the addon keeps of a request. Reads and writes through. */
export function lookInto(request: NativeRequest): ReturnType<typeof nativeRequest.at> {
  return nativeRequest.at(new DataView(request.buffer, request.byteOffset, request.byteLength), 0);
}
