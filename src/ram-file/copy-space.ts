import { mapMemory, viewMemory } from '../sys/mmap.ts';
import { hide, lock } from '../sys/secret-memory.ts';
import { COPY_SIZE } from './sizes.ts';

/** Memory for the copies of a secret, kept out of swap, core dumps and child processes. Returns its address. */
export function secretCopySpace(): number {
  const address = mapMemory(COPY_SIZE);
  hide(address, COPY_SIZE);
  lock(address, COPY_SIZE);
  return address;
}

/** `length` bytes of memory, at most COPY_SIZE, to copy through: at `address`, which all threads share, or new. */
export function copySpace(address: number | undefined, length: number): Uint8Array {
  return address === undefined ? new Uint8Array(length) : viewMemory(address, length);
}
