/** The structs of include/uapi/linux/fuse.h, field for field. */
import { struct } from './c-struct.ts';

export const fuseInHeader = struct({
  len: 'u32',
  opcode: 'u32',
  unique: 'u64',
  nodeid: 'u64',
  uid: 'u32',
  gid: 'u32',
  pid: 'u32',
  total_extlen: 'u16',
  padding: 'u16',
});

export const fuseOutHeader = struct({ len: 'u32', error: 'i32', unique: 'u64' });

export const fuseInitIn = struct({
  major: 'u32',
  minor: 'u32',
  max_readahead: 'u32',
  flags: 'u32',
  flags2: 'u32',
});

export const fuseInitOut = struct({
  major: 'u32',
  minor: 'u32',
  max_readahead: 'u32',
  flags: 'u32',
  max_background: 'u16',
  congestion_threshold: 'u16',
  max_write: 'u32',
  time_gran: 'u32',
  max_pages: 'u16',
  map_alignment: 'u16',
  flags2: 'u32',
  max_stack_depth: 'u32',
  request_timeout: 'u16',
  unused0: 'u16',
  unused1: 'u32',
  unused2: 'u32',
  unused3: 'u32',
  unused4: 'u32',
  unused5: 'u32',
});

const attr = {
  ino: 'u64',
  size: 'u64',
  blocks: 'u64',
  atime: 'i64',
  mtime: 'i64',
  ctime: 'i64',
  atimensec: 'u32',
  mtimensec: 'u32',
  ctimensec: 'u32',
  mode: 'u32',
  nlink: 'u32',
  uid: 'u32',
  gid: 'u32',
  rdev: 'u32',
  blksize: 'u32',
  flags: 'u32',
} as const;

export const fuseAttr = struct(attr);

export const fuseEntryOut = struct({
  nodeid: 'u64',
  generation: 'u64',
  entry_valid: 'u64',
  attr_valid: 'u64',
  entry_valid_nsec: 'u32',
  attr_valid_nsec: 'u32',
  ...attr,
});

export const fuseGetattrIn = struct({ getattr_flags: 'u32', dummy: 'u32', fh: 'u64' });
export const fuseAttrOut = struct({ attr_valid: 'u64', attr_valid_nsec: 'u32', dummy: 'u32', ...attr });

export const fuseForgetIn = struct({ nlookup: 'u64' });
export const fuseBatchForgetIn = struct({ count: 'u32', dummy: 'u32' });
export const fuseForgetOne = struct({ nodeid: 'u64', nlookup: 'u64' });

export const fuseSetattrIn = struct({
  valid: 'u32',
  padding: 'u32',
  fh: 'u64',
  size: 'u64',
  lock_owner: 'u64',
  atime: 'i64',
  mtime: 'i64',
  ctime: 'i64',
  atimensec: 'u32',
  mtimensec: 'u32',
  ctimensec: 'u32',
  mode: 'u32',
  unused4: 'u32',
  uid: 'u32',
  gid: 'u32',
  unused5: 'u32',
});

export const fuseOpenIn = struct({ flags: 'u32', open_flags: 'u32' });
export const fuseOpenOut = struct({ fh: 'u64', open_flags: 'u32', backing_id: 'i32' });
export const fuseReleaseIn = struct({ fh: 'u64', flags: 'u32', release_flags: 'u32', lock_owner: 'u64' });

export const fuseReadIn = struct({
  fh: 'u64',
  offset: 'u64',
  size: 'u32',
  read_flags: 'u32',
  lock_owner: 'u64',
  flags: 'u32',
  padding: 'u32',
});

export const fuseWriteIn = struct({
  fh: 'u64',
  offset: 'u64',
  size: 'u32',
  write_flags: 'u32',
  lock_owner: 'u64',
  flags: 'u32',
  padding: 'u32',
});

export const fuseWriteOut = struct({ size: 'u32', padding: 'u32' });

export const fuseStatfsOut = struct({
  blocks: 'u64',
  bfree: 'u64',
  bavail: 'u64',
  files: 'u64',
  ffree: 'u64',
  bsize: 'u32',
  namelen: 'u32',
  frsize: 'u32',
  padding: 'u32',
  spare0: 'u64',
  spare1: 'u64',
  spare2: 'u64',
});

export const fuseGetxattrIn = struct({ size: 'u32', padding: 'u32' });
export const fuseGetxattrOut = struct({ size: 'u32', padding: 'u32' });

export const fuseFsyncIn = struct({ fh: 'u64', fsync_flags: 'u32', padding: 'u32' });
export const fuseInterruptIn = struct({ unique: 'u64' });

export const fuseIoctlIn = struct({
  fh: 'u64',
  flags: 'u32',
  cmd: 'u32',
  arg: 'u64',
  in_size: 'u32',
  out_size: 'u32',
});

export const fuseIoctlOut = struct({ result: 'i32', flags: 'u32', in_iovs: 'u32', out_iovs: 'u32' });

/** fuse_lk_in, with its fuse_file_lock. */
export const fuseLkIn = struct({
  fh: 'u64',
  owner: 'u64',
  start: 'u64',
  end: 'u64',
  type: 'u32',
  pid: 'u32',
  lk_flags: 'u32',
  padding: 'u32',
});
export const fuseLkOut = struct({ start: 'u64', end: 'u64', type: 'u32', pid: 'u32' });
export const fuseFlushIn = struct({ fh: 'u64', unused: 'u32', padding: 'u32', lock_owner: 'u64' });

export const fusePollIn = struct({ fh: 'u64', kh: 'u64', flags: 'u32', events: 'u32' });
export const fusePollOut = struct({ revents: 'u32', padding: 'u32' });

export const fuseFallocateIn = struct({
  fh: 'u64',
  offset: 'u64',
  length: 'u64',
  mode: 'u32',
  padding: 'u32',
});

export const fuseLseekIn = struct({ fh: 'u64', offset: 'i64', whence: 'u32', padding: 'u32' });
export const fuseLseekOut = struct({ offset: 'u64' });

export const fuseCopyFileRangeIn = struct({
  fh_in: 'u64',
  off_in: 'u64',
  nodeid_out: 'u64',
  fh_out: 'u64',
  off_out: 'u64',
  len: 'u64',
  flags: 'u64',
});

export const fuseBackingMap = struct({ fd: 'i32', flags: 'u32', padding: 'u64' });

/** Followed by the new name. FUSE_RENAME has the first field only. */
export const fuseRenameIn = struct({ newdir: 'u64' });
export const fuseRename2In = struct({ newdir: 'u64', flags: 'u32', padding: 'u32' });

/** Followed by the name, without a terminating NUL, padded to 8 bytes. */
export const fuseDirent = struct({ ino: 'u64', off: 'u64', namelen: 'u32', type: 'u32' });

export const fuseNotifyPollWakeupOut = struct({ kh: 'u64' });
export const fuseNotifyInvalInodeOut = struct({ ino: 'u64', off: 'i64', len: 'i64' });
/** Followed by the bytes. */
export const fuseNotifyStoreOut = struct({ nodeid: 'u64', offset: 'u64', size: 'u32', padding: 'u32' });
export const fuseNotifyRetrieveOut = struct({
  notify_unique: 'u64',
  nodeid: 'u64',
  offset: 'u64',
  size: 'u32',
  padding: 'u32',
});
export const fuseNotifyInvalEntryOut = struct({ parent: 'u64', namelen: 'u32', flags: 'u32' });
