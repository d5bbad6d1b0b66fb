import { libcFunction } from './libc.ts';

/** Source: getrandom(2). */
const getrandom = libcFunction<[bytes: Uint8Array, length: number, flags: number]>('getrandom', 'intptr_t', [
  'void *',
  'size_t',
  'uint',
]);

/** A text that nobody guesses: so many random bytes in hexadecimal digits, at most 256. Without node:crypto, which takes 4 ms to load. */
export function randomText(length: number): string {
  const bytes = Buffer.alloc(length);
  getrandom(bytes, length, 0);
  return bytes.toString('hex');
}
