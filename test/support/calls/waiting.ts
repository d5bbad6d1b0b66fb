import { ioctl } from '../../../src/sys/ioctl.ts';
import { libcFunction } from '../../../src/sys/libc.ts';
import { type Answer, answer } from '../answer.ts';

/** Operations of flock(2). */
export const LOCK_SH = 1;
export const LOCK_EX = 2;
export const LOCK_NB = 4;
export const LOCK_UN = 8;

/** Types of a lock of fcntl(2). */
export const F_RDLCK = 0;
export const F_WRLCK = 1;
export const F_UNLCK = 2;

const F_GETLK = 5;
const F_SETLK = 6;
const F_SETLKW = 7;
/** Of an open file description, rather than of a process. */
const F_OFD_SETLK = 37;

/** Source: poll(2). */
export const POLLIN = 0x001;
export const POLLOUT = 0x004;
export const POLLRDNORM = 0x040;
export const POLLWRNORM = 0x100;

const flock = libcFunction<[fd: number, operation: number]>('flock', 'int', ['int', 'int']);
const fcntl = libcFunction<[fd: number, command: number, lock: Uint8Array]>('fcntl', 'int', [
  'int',
  'int',
  'void *',
]);
const poll = libcFunction<[pollfds: Uint8Array, count: number, timeout: number]>('poll', 'int', [
  'void *',
  'ulong',
  'int',
]);
const ioctlPointer = libcFunction<[fd: number, request: number, bytes: Uint8Array]>('ioctl', 'int', [
  'int',
  'ulong',
  'void *',
]);

/** struct flock on 64-bit Linux, from the start of the file. */
function lockOf(type: number, start: number, length: number): DataView {
  const lock = new DataView(new ArrayBuffer(32));
  lock.setInt16(0, type, true);
  lock.setBigInt64(8, BigInt(start), true);
  lock.setBigInt64(16, BigInt(length), true);
  return lock;
}

function setLock(command: number, fd: number, type: number, start: number, length: number): Answer<number> {
  const lock = new Uint8Array(lockOf(type, start, length).buffer);
  return answer(() => fcntl(fd, command, lock));
}

/** What clients do to wait for each other, or for a file. */
export const waitCalls = {
  flock: (fd: number, operation: number): Answer<number> => answer(() => flock(fd, operation)),

  /** Locks or unlocks a range, or answers EAGAIN when another process has it; a length of 0 is up to the end. */
  lock: (fd: number, type: number, start: number, length: number): Answer<number> =>
    setLock(F_SETLK, fd, type, start, length),

  /** The same, but waits. */
  lockWait: (fd: number, type: number, start: number, length: number): Answer<number> =>
    setLock(F_SETLKW, fd, type, start, length),

  lockDescription: (fd: number, type: number, start: number, length: number): Answer<number> =>
    setLock(F_OFD_SETLK, fd, type, start, length),

  /** The type and the owner's process of a lock that is in the way, F_UNLCK and 0 when none is. */
  lockInTheWay(fd: number, type: number, start: number, length: number): Answer<[type: number, pid: number]> {
    const lock = lockOf(type, start, length);
    return answer(() => {
      fcntl(fd, F_GETLK, new Uint8Array(lock.buffer));
      return [lock.getInt16(0, true), lock.getInt32(24, true)];
    });
  },

  /** The events that are there, waiting for those in `events` up to `timeout` milliseconds; 0 when time is up. */
  poll(fd: number, events: number, timeout: number): Answer<number> {
    const pollfd = new DataView(new ArrayBuffer(8));
    pollfd.setInt32(0, fd, true);
    pollfd.setInt16(4, events, true);
    return answer(() => {
      poll(new Uint8Array(pollfd.buffer), 1, timeout);
      return pollfd.getInt16(6, true);
    });
  },

  ioctl: (fd: number, request: number): Answer<number> => answer(() => ioctl(fd, request, 0)),

  /** ioctl(2) with a pointer: what it answers, and the bytes there afterwards. */
  ioctlWith(fd: number, request: number, bytes: Uint8Array): Answer<[result: number, bytes: Uint8Array]> {
    return answer(() => [ioctlPointer(fd, request, bytes), bytes]);
  },
};
