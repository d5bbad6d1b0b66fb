export const PAGE_SIZE = 4096;

/** Scratch memory for one thread, in bytes: a request and a reply of 1 MiB each fit, with their headers in front. */
export const SCRATCH_SIZE = (2 << 20) + (64 << 10);

/** How many threads can have scratch memory. */
export const MAX_THREADS = 64;

/** How much is mapped, in bytes: a typed array ends at 2^32 - 1 in Node 20. */
export const MAPPED_SIZE = 2 ** 32 - PAGE_SIZE;

/** How much of a file can be mapped, behind the scratch memory, in bytes: 3.87 GiB. */
export const WINDOW_SIZE = MAPPED_SIZE - MAX_THREADS * SCRATCH_SIZE;

/** How much is copied at once where bytes have to pass through memory of this process, in bytes. */
export const COPY_SIZE = 1 << 20;

/** The memory that a secret of such a file has locked beside its bytes, in bytes. */
export function lockedBeside(threads: number): number {
  return threads * SCRATCH_SIZE + COPY_SIZE;
}
