import { closeSync, fdatasyncSync, fsyncSync, openSync } from 'node:fs';
import { addressOf, libcFunction } from '../../../src/sys/libc.ts';
import { fallocate } from '../../../src/sys/memfd.ts';
import { type Answer, answer, done } from '../answer.ts';

/** What a test writes: text stands for its bytes in Latin-1. */
export type Data = string | Uint8Array;

/** A file offset or length; a bigint where it is above 2^53 - 1. */
export type Offset = number | bigint;

export const SEEK_SET = 0;
export const SEEK_CUR = 1;
export const SEEK_END = 2;
export { SEEK_DATA, SEEK_HOLE } from '../../../src/sys/memfd.ts';

/** Source: asm-generic/fcntl.h; Node has no names for them. */
export const O_PATH = 0o10000000;
export const O_TMPFILE = 0o20200000;

const F_GETFL = 3;
const F_SETFL = 4;

const plain = ['int', 'void *', 'size_t'];
const at = ['int', 'void *', 'size_t', 'int64_t'];
const vector = ['int', 'void *', 'int'];
type Plain = [fd: number, bytes: Uint8Array, length: number];
type At = [...Plain, offset: Offset];
type Vector = [fd: number, iovecs: BigUint64Array, count: number];
const read = libcFunction<Plain>('read', 'int64_t', plain);
const pread = libcFunction<At>('pread', 'int64_t', at);
const write = libcFunction<Plain>('write', 'int64_t', plain);
const pwrite = libcFunction<At>('pwrite', 'int64_t', at);
const readv = libcFunction<Vector>('readv', 'int64_t', vector);
const writev = libcFunction<Vector>('writev', 'int64_t', vector);
const lseek = libcFunction<[fd: number, offset: Offset, whence: number]>('lseek', 'int64_t', [
  'int',
  'int64_t',
  'int',
]);
const truncate = libcFunction<[path: string, size: Offset]>('truncate', 'int', ['str', 'int64_t']);
const ftruncate = libcFunction<[fd: number, size: Offset]>('ftruncate', 'int', ['int', 'int64_t']);
const copyFileRange = libcFunction<
  [
    fdIn: number,
    offsetIn: BigInt64Array | null,
    fdOut: number,
    offsetOut: BigInt64Array | null,
    length: number,
    flags: number,
  ]
>('copy_file_range', 'int64_t', ['int', 'void *', 'int', 'void *', 'size_t', 'uint']);
const fcntl = libcFunction<[fd: number, command: number, argument: number]>('fcntl', 'int', [
  'int',
  'int',
  'int64_t',
]);

export function bytesOf(data: Data): Uint8Array {
  return typeof data === 'string' ? Buffer.from(data, 'latin1') : data;
}

/** An array of struct iovec. */
function iovecsOf(buffers: readonly Uint8Array[]): BigUint64Array {
  return BigUint64Array.from(buffers.flatMap((buffer) => [addressOf(buffer), BigInt(buffer.length)]));
}

/** What a read put into the first bytes of `buffer`. */
function filled(buffer: Buffer, count: Answer<number>): Answer<Buffer> {
  return typeof count === 'number' ? buffer.subarray(0, count) : count;
}

/** Opening, reading, writing and all that changes a file's bytes or size. */
export const dataCalls = {
  open: (path: string, flags: number, mode = 0o666): Answer<number> =>
    answer(() => openSync(path, flags, mode)),

  close: (fd: number): Answer<0> => done(() => closeSync(fd)),

  read(fd: number, length: number): Answer<Buffer> {
    const buffer = Buffer.alloc(length);
    const count = answer(() => read(fd, buffer, length));
    return filled(buffer, count);
  },

  pread(fd: number, length: number, offset: Offset): Answer<Buffer> {
    const buffer = Buffer.alloc(length);
    const count = answer(() => pread(fd, buffer, length, offset));
    return filled(buffer, count);
  },

  /** As pread, but to the caller's own buffer. Answers how many bytes came. */
  preadInto: (fd: number, buffer: Uint8Array, offset: Offset): Answer<number> =>
    answer(() => pread(fd, buffer, buffer.length, offset)),

  /** The bytes that were read, from all buffers in a row. */
  readv(fd: number, lengths: readonly number[]): Answer<Buffer> {
    const buffers = lengths.map((length) => Buffer.alloc(length));
    const count = answer(() => readv(fd, iovecsOf(buffers), buffers.length));
    return filled(Buffer.concat(buffers), count);
  },

  write(fd: number, data: Data): Answer<number> {
    const bytes = bytesOf(data);
    return answer(() => write(fd, bytes, bytes.length));
  },

  pwrite(fd: number, data: Data, offset: Offset): Answer<number> {
    const bytes = bytesOf(data);
    return answer(() => pwrite(fd, bytes, bytes.length, offset));
  },

  writev(fd: number, data: readonly Data[]): Answer<number> {
    const buffers = data.map(bytesOf);
    return answer(() => writev(fd, iovecsOf(buffers), buffers.length));
  },

  lseek: (fd: number, offset: Offset, whence: number): Answer<number> =>
    answer(() => lseek(fd, offset, whence)),

  truncate: (path: string, size: Offset): Answer<number> => answer(() => truncate(path, size)),

  ftruncate: (fd: number, size: Offset): Answer<number> => answer(() => ftruncate(fd, size)),

  fallocate: (fd: number, mode: number, offset: number, length: number): Answer<number> =>
    answer(() => fallocate(fd, mode, offset, length)),

  /** An offset of null is the descriptor's own position, which then moves. */
  copyFileRange(
    fdIn: number,
    offsetIn: Offset | null,
    fdOut: number,
    offsetOut: Offset | null,
    length: number,
  ): Answer<number> {
    const pointer = (offset: Offset | null) => (offset === null ? null : BigInt64Array.of(BigInt(offset)));
    return answer(() => copyFileRange(fdIn, pointer(offsetIn), fdOut, pointer(offsetOut), length, 0));
  },

  fsync: (fd: number): Answer<0> => done(() => fsyncSync(fd)),

  fdatasync: (fd: number): Answer<0> => done(() => fdatasyncSync(fd)),

  getFlags: (fd: number): Answer<number> => answer(() => fcntl(fd, F_GETFL, 0)),

  setFlags: (fd: number, flags: number): Answer<number> => answer(() => fcntl(fd, F_SETFL, flags)),
};
