import { libcFunction } from '../../../src/sys/libc.ts';
import { type Answer, answer } from '../answer.ts';
import type { Data } from './data.ts';

export const PROT_READ = 1;
export const PROT_WRITE = 2;
export const MAP_SHARED = 1;
export const MAP_PRIVATE = 2;
export const MS_SYNC = 4;

const mmap = libcFunction<
  [address: number, length: number, protection: number, flags: number, fd: number, offset: number]
>('mmap', 'int64_t', ['int64_t', 'size_t', 'int', 'int', 'int', 'int64_t']);
const munmap = libcFunction<[address: number, length: number]>('munmap', 'int', ['int64_t', 'size_t']);
const msync = libcFunction<[address: number, length: number, flags: number]>('msync', 'int', [
  'int64_t',
  'size_t',
  'int',
]);
const copyOut = libcFunction<[to: Uint8Array, from: number, length: number]>('memcpy', 'int64_t', [
  'void *',
  'int64_t',
  'size_t',
]);
const copyIn = libcFunction<[to: number, from: Uint8Array, length: number]>('memcpy', 'int64_t', [
  'int64_t',
  'void *',
  'size_t',
]);

/** Mapped memory, by its address. As in C, an access beyond the mapping or the file's last page ends the process. */
export const mappingCalls = {
  /** The address of `length` bytes of a file, from `offset`. */
  mmap: (fd: number, offset: number, length: number, protection: number, flags: number): Answer<number> =>
    answer(() => mmap(0, length, protection, flags, fd, offset)),

  munmap: (address: number, length: number): Answer<number> => answer(() => munmap(address, length)),

  msync: (address: number, length: number): Answer<number> => answer(() => msync(address, length, MS_SYNC)),

  /** The bytes in memory, as a client that maps a file reads it. */
  load(address: number, length: number): Buffer {
    const bytes = Buffer.alloc(length);
    copyOut(bytes, address, length);
    return bytes;
  },

  /**
   * Counts up in four bytes of memory, and with `sync` has their page written back each time. Returns how often it did, and how often
   * the number there wasn't the one it had stored.
   */
  countUp(address: number, ms: number, sync: boolean): { count: number; lost: number } {
    const bytes = new Uint8Array(4);
    const number = new Uint32Array(bytes.buffer);
    const end = performance.now() + ms;
    let count = 0;
    let lost = 0;
    while (performance.now() < end) {
      copyOut(bytes, address, 4);
      if (number[0] !== count) lost++;
      number[0] = ++count;
      copyIn(address, bytes, 4);
      if (sync) answer(() => msync(address - (address % 4096), 4096, MS_SYNC));
    }
    return { count, lost };
  },

  store(address: number, data: Data): number {
    const bytes = typeof data === 'string' ? Buffer.from(data, 'latin1') : data;
    copyIn(address, bytes, bytes.length);
    return bytes.length;
  },
};
