import { libcFunction } from './libc.ts';

const memcpy = libcFunction<[to: number, from: Uint8Array, length: number]>('memcpy', 'void', [
  'uintptr_t',
  'void *',
  'size_t',
]);

/** Writes `bytes` to an address of this process, which must be writable for as many bytes. Source: memcpy(3). */
export function copyToMemory(address: number, bytes: Uint8Array): void {
  memcpy(address, bytes, bytes.length);
}
