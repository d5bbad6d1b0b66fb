import {
  type BigIntStats,
  chmodSync,
  chownSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  statfsSync,
  statSync,
} from 'node:fs';
import { libcFunction } from '../../../src/sys/libc.ts';
import { futimens } from '../../../src/sys/memfd.ts';
import type { Timespec } from '../../../src/sys/time.ts';
import { type Answer, answer, done } from '../answer.ts';

const AT_FDCWD = -100;

const utimensat = libcFunction<[directory: number, path: string, times: BigInt64Array | null, flags: number]>(
  'utimensat',
  'int',
  ['int', 'str', 'void *', 'int'],
);
const access = libcFunction<[path: string, mode: number]>('access', 'int', ['str', 'int']);

/** What stat(2) tells: sizes in bytes, blocks of 512 bytes, times in nanoseconds since 1970. */
export interface Stat {
  readonly size: number;
  readonly blocks: number;
  readonly blksize: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly nlink: number;
  readonly ino: number;
  readonly atime: bigint;
  readonly mtime: bigint;
  readonly ctime: bigint;
}

function statOf(stats: BigIntStats): Stat {
  return {
    size: Number(stats.size),
    blocks: Number(stats.blocks),
    blksize: Number(stats.blksize),
    mode: Number(stats.mode),
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    nlink: Number(stats.nlink),
    ino: Number(stats.ino),
    atime: stats.atimeNs,
    mtime: stats.mtimeNs,
    ctime: stats.ctimeNs,
  };
}

/** What statfs(2) tells: numbers of blocks of `bsize` bytes. */
export interface StatFs {
  readonly bsize: number;
  readonly blocks: number;
  readonly bfree: number;
  readonly bavail: number;
}

/** Two struct timespec. */
function timespecs(atime: Timespec, mtime: Timespec): BigInt64Array {
  return BigInt64Array.of(...[atime.sec, atime.nsec, mtime.sec, mtime.nsec].map(BigInt));
}

/** What a file is, rather than what it holds. */
export const attributeCalls = {
  stat: (path: string): Answer<Stat> => answer(() => statOf(statSync(path, { bigint: true }))),

  fstat: (fd: number): Answer<Stat> => answer(() => statOf(fstatSync(fd, { bigint: true }))),

  statfs: (path: string): Answer<StatFs> =>
    answer(() => {
      const { bsize, blocks, bfree, bavail } = statfsSync(path);
      return { bsize, blocks, bfree, bavail };
    }),

  chmod: (path: string, mode: number): Answer<0> => done(() => chmodSync(path, mode)),

  fchmod: (fd: number, mode: number): Answer<0> => done(() => fchmodSync(fd, mode)),

  chown: (path: string, uid: number, gid: number): Answer<0> => done(() => chownSync(path, uid, gid)),

  fchown: (fd: number, uid: number, gid: number): Answer<0> => done(() => fchownSync(fd, uid, gid)),

  utimensat: (path: string, atime: Timespec, mtime: Timespec): Answer<number> =>
    answer(() => utimensat(AT_FDCWD, path, timespecs(atime, mtime), 0)),

  futimens: (fd: number, atime: Timespec, mtime: Timespec): Answer<0> =>
    done(() => futimens(fd, atime, mtime)),

  /** utimensat(2) without times: both become the present. */
  touch: (path: string): Answer<number> => answer(() => utimensat(AT_FDCWD, path, null, 0)),

  access: (path: string, mode: number): Answer<number> => answer(() => access(path, mode)),
};
