import koffi, { type KoffiFunc } from 'koffi';
import { libc, libcFunction } from './libc.ts';

const PROT_READ = 1;
const PROT_WRITE = 2;
const MAP_SHARED = 0x01;
const MAP_PRIVATE = 0x02;
const MAP_FIXED = 0x10;
const MAP_ANONYMOUS = 0x20;
const MAP_NORESERVE = 0x4000;

/** Source: mmap(2). Addresses are numbers: user space ends below 2^47. */
const mmap = libcFunction<
  [address: number, length: number, protection: number, flags: number, fd: number, offset: number]
>('mmap', 'intptr_t', ['intptr_t', 'size_t', 'int', 'int', 'int', 'int64_t']);

/** Source: madvise(2). The kinds of advice that are used stand with who gives them. */
export const madvise = libcFunction<[address: number, length: number, advice: number]>('madvise', 'int', [
  'intptr_t',
  'size_t',
  'int',
]);

/** Source: mincore(2). Of each page a byte, whose lowest bit says whether it is in memory. */
export const mincore = libcFunction<[address: number, length: number, pages: Uint8Array]>('mincore', 'int', [
  'intptr_t',
  'size_t',
  'void *',
]);

/** Maps `length` bytes of private memory, all zero, none of it in use before it is touched. Returns the address. */
export function mapMemory(length: number): number {
  return mmap(0, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
}

/** Puts `length` bytes of a file, by default the first, in the place of what is mapped at `address`. */
export function mapFileOver(address: number, length: number, fd: number, offset = 0): void {
  mmap(address, length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED | MAP_NORESERVE, fd, offset);
}

/** Maps `length` bytes of a file, shared, from `offset`. Returns the address. */
export function mapFile(length: number, fd: number, offset: number): number {
  return mmap(0, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, offset);
}

/** Source: memcpy(3). Both must be mapped, and mustn't overlap. */
export const copyMemory: KoffiFunc<(to: number, from: number, length: number) => number> = libc.func(
  'memcpy',
  'intptr_t',
  ['intptr_t', 'intptr_t', 'size_t'],
);

/** Takes what is mapped at `address` away and keeps the addresses: touching them is SIGSEGV. */
export function unmapInPlace(address: number, length: number): void {
  mmap(address, length, 0, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
}

/** Memory that any thread of this process may look at. It must stay mapped for as long as the view is used. */
export function viewMemory(address: number, length: number): Uint8Array {
  return new Uint8Array(koffi.view(address, length));
}

const munmap = libcFunction<[address: number, length: number]>('munmap', 'int', ['intptr_t', 'size_t']);

/** Gives mapped memory back, addresses and all. Nobody may have a view of it. Source: munmap(2). */
export function unmap(address: number, length: number): void {
  munmap(address, length);
}
