import { libcFunction } from './libc.ts';
import { madvise } from './mmap.ts';

const MADV_DONTFORK = 10;
const MADV_DONTDUMP = 16;
const MLOCK_ONFAULT = 1;

/** Keeps mapped memory out of core dumps, and out of the processes that this one starts. Source: madvise(2). */
export function hide(address: number, length: number): void {
  madvise(address, length, MADV_DONTDUMP);
  madvise(address, length, MADV_DONTFORK);
}

/**
 * Keeps each page that is touched through a mapping from then on out of swap. All of `length` counts against
 * RLIMIT_MEMLOCK at once: ENOMEM or EPERM beyond it, without CAP_IPC_LOCK. Source: mlock2(2).
 *
 * Looked up here and not at start: only a secret needs it, and it came with glibc 2.27.
 */
export function lock(address: number, length: number): void {
  const mlock2 = libcFunction<[address: number, length: number, flags: number]>('mlock2', 'int', [
    'intptr_t',
    'size_t',
    'uint',
  ]);
  mlock2(address, length, MLOCK_ONFAULT);
}
