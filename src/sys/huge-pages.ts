import { madvise, mapFileOver, mapMemory, unmap } from './mmap.ts';

/** Of the processors that have 4 KiB pages, in bytes. */
export const HUGE_PAGE_SIZE = 2 << 20;

/** Source: asm-generic/mman-common.h. Since Linux 6.1. */
const MADV_COLLAPSE = 25;

/** The first address or offset from `at` on where a huge page may start. */
export function hugeUp(at: number): number {
  return Math.ceil(at / HUGE_PAGE_SIZE) * HUGE_PAGE_SIZE;
}

/** The last address or offset up to `at` where a huge page may start. */
export function hugeDown(at: number): number {
  return Math.floor(at / HUGE_PAGE_SIZE) * HUGE_PAGE_SIZE;
}

/** Maps HUGE_PAGE_SIZE bytes of a file, from a multiple of as many on, for as long as `use` takes, so that a huge page fits. */
export function mappedHuge<T>(fd: number, offset: number, use: (address: number) => T): T {
  const room = mapMemory(2 * HUGE_PAGE_SIZE);
  try {
    const address = hugeUp(room);
    mapFileOver(address, HUGE_PAGE_SIZE, fd, offset);
    return use(address);
  } finally {
    unmap(room, 2 * HUGE_PAGE_SIZE);
  }
}

/**
 * Has the kernel put what is mapped there into a huge page, at once. Pages that are missing are made, and all count as this
 * process's memory from then on. Throws an Errno: EAGAIN, EBUSY or ENOMEM when another time may do, EINVAL when it won't, as
 * on Linux before 6.1. Source: madvise(2), madvise_collapse_errno.
 */
export function collapse(address: number): void {
  madvise(address, HUGE_PAGE_SIZE, MADV_COLLAPSE);
}
