import { constants, readdirSync } from 'node:fs';
import { EBADF, Errno } from './errno.ts';
import { libcFunction } from './libc.ts';

/** Source: linux/fcntl.h. */
const F_SETFD = 2;
const F_DUPFD_CLOEXEC = 1030;
const F_GETFL = 3;
const F_SETFL = 4;
const FD_CLOEXEC = 1;

/** Source: fcntl(2). The commands used here take an int. */
const fcntl = libcFunction<[fd: number, command: number, argument: number]>('fcntl', 'int', [
  'int',
  'int',
  'int',
]);

const dup2 = libcFunction<[from: number, to: number]>('dup2', 'int', ['int', 'int']);

/** Another descriptor of the same open file, close-on-exec. */
export function duplicate(fd: number): number {
  return fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

/** Keeps programs that this process starts from inheriting the descriptor. */
export function closeOnExec(fd: number): void {
  fcntl(fd, F_SETFD, FD_CLOEXEC);
}

/** Has a program that this process starts or becomes inherit the descriptor. */
export function keepOnExec(fd: number): void {
  fcntl(fd, F_SETFD, 0);
}

/**
 * Makes all close-on-exec but standard input, output and error, whoever opened them. Node does it up to the first number
 * that is free (uv_disable_stdio_inheritance).
 */
export function closeAllOnExec(): void {
  for (const fd of readdirSync('/proc/self/fd').map(Number)) {
    try {
      if (fd > 2) closeOnExec(fd);
    } catch (error) {
      // The one that listed them is closed by now.
      if (!(error instanceof Errno && error.errno === EBADF)) throw error;
    }
  }
}

/** Makes the number `to` mean the open file of `from`. What it meant before is closed. Source: dup2(2). */
export function replace(from: number, to: number): void {
  dup2(from, to);
}

/** Has calls on an open file answer EAGAIN where they would wait, for all its descriptors. */
export function setNonblocking(fd: number): void {
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL, 0) | constants.O_NONBLOCK);
}
