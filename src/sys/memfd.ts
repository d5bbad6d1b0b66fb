import { constants } from 'node:fs';
import { libcFunction } from './libc.ts';
import type { Timespec } from './time.ts';

export const MFD_CLOEXEC = 1;

/** Source: linux/falloc.h. */
export const FALLOC_FL_KEEP_SIZE = 0x01;
export const FALLOC_FL_PUNCH_HOLE = 0x02;
export const FALLOC_FL_ZERO_RANGE = 0x10;

export const SEEK_SET = 0;
export const SEEK_CUR = 1;
export const SEEK_DATA = 3;
export const SEEK_HOLE = 4;

/** Source: asm-generic/fcntl.h; Node has no name for it on every platform. */
export const O_NOATIME = constants.O_NOATIME ?? 0o1000000;

/** Source: memfd_create(2). Returns the descriptor; `name` is what /proc/PID/fd shows. */
export const memfdCreate = libcFunction<[name: string, flags: number]>('memfd_create', 'int', [
  'str',
  'uint',
]);

/** Source: lseek(2). ENXIO when SEEK_DATA or SEEK_HOLE starts at or past the end. */
export const lseek = libcFunction<[fd: number, offset: number, whence: number]>('lseek', 'int64_t', [
  'int',
  'int64_t',
  'int',
]);

/** Source: fallocate(2). */
export const fallocate = libcFunction<[fd: number, mode: number, offset: number, length: number]>(
  'fallocate',
  'int',
  ['int', 'int', 'int64_t', 'int64_t'],
);

const futimensCall = libcFunction<[fd: number, times: BigInt64Array]>('futimens', 'int', ['int', 'void *']);

/** Source: futimens(3). */
export function futimens(fd: number, atime: Timespec, mtime: Timespec): void {
  futimensCall(fd, BigInt64Array.of(...[atime.sec, atime.nsec, mtime.sec, mtime.nsec].map(BigInt)));
}
