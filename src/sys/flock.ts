import { fstatSync, readFileSync } from 'node:fs';
import { libcFunction } from './libc.ts';
import { mountIdOf, mounts } from './mountinfo.ts';

/** Has the lock until the descriptor is closed. */
export const LOCK_EX = 2;

/** Doesn't wait: EAGAIN while somebody else has it. */
export const LOCK_NB = 4;

/** Source: flock(2). */
export const flock = libcFunction<[fd: number, operation: number]>('flock', 'int', ['int', 'int']);

/**
 * The process that has the lock of an open file, as far as this one may know: not when it is in another PID namespace.
 *
 * Lines are `1: FLOCK  ADVISORY  WRITE 708 fe:00:12345 0 EOF`, with the device in hexadecimal. Source: proc_locks(5).
 */
export function flockHolder(fd: number): number | undefined {
  const id = mountIdOf(fd);
  const [major = 0, minor = 0] = (mounts().find((mount) => mount.id === id)?.device ?? '')
    .split(':')
    .map(Number);
  const hex = (part: number) => part.toString(16).padStart(2, '0');
  const file = `${hex(major)}:${hex(minor)}:${fstatSync(fd, { bigint: true }).ino}`;
  for (const line of readFileSync('/proc/locks', 'utf8').split('\n')) {
    const [, kind, , , pid = '', inode] = line.split(/\s+/);
    if (kind === 'FLOCK' && inode === file && Number(pid) > 0) return Number(pid);
  }
  return undefined;
}
