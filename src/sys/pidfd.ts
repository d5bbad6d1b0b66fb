import { closeSync } from 'node:fs';
import { libcFunction } from './libc.ts';

/** The same on every architecture. Source: asm-generic/unistd.h. */
const PIDFD_OPEN = 434;
const PIDFD_GETFD = 438;

/** glibc has names for them since 2.36 only. */
const syscall = libcFunction<[number: number, ...rest: [number, number, number]]>('syscall', 'long', [
  'long',
  'long',
  'long',
  'long',
]);

/** A process, also when its number has become another's. Readable when it has ended. Source: pidfd_open(2). */
export function pidfdOpen(pid: number): number {
  return syscall(PIDFD_OPEN, pid, 0, 0);
}

/** Looks at a descriptor of another process, which needs the right to trace it. Source: pidfd_getfd(2). */
export function withDescriptorOf<T>(pidfd: number, fd: number, look: (fd: number) => T): T {
  const own = syscall(PIDFD_GETFD, pidfd, fd, 0);
  try {
    return look(own);
  } finally {
    closeSync(own);
  }
}
