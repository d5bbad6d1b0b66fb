import { closeSync, openSync } from 'node:fs';
import koffi from 'koffi';
import { atExit } from './at-exit.ts';
import { libcFunction } from './libc.ts';
import { mounts } from './mountinfo.ts';

const EPOLL_CLOEXEC = 0o2000000;
const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_DEL = 2;
const EPOLLOUT = 4;

/** A struct epoll_event, packed: u32 events, u64 data. EPOLLERR and EPOLLHUP are always watched for. */
function epollEvent(events: number): Uint8Array {
  return new Uint8Array(new Uint32Array([events, 0, 0]).buffer);
}

const epollCreate1 = libcFunction<[flags: number]>('epoll_create1', 'int', ['int']);

const epollCtl = libcFunction<[epoll: number, operation: number, fd: number, event: Uint8Array]>(
  'epoll_ctl',
  'int',
  ['int', 'int', 'int', 'void *'],
);

/** poll(2) of one struct pollfd: int fd, short events, short revents. */
const poll = libcFunction<[fds: Int32Array, count: number, timeout: number]>('poll', 'int', [
  'void *',
  'unsigned long',
  'int',
]);

/** Whether a descriptor has an error or is hung up, now: as that of a FUSE connection that ended (fuse_dev_poll). */
export function isHungUp(fd: number): boolean {
  return poll(new Int32Array([fd, 0]), 1, 0) > 0;
}

const POLLIN = 1;
const POLLOUT = 4;

/** Whether the process of a pidfd has ended. Source: pidfd_open(2). */
export function hasEnded(pidfd: number): boolean {
  return poll(new Int32Array([pidfd, POLLIN]), 1, 0) > 0;
}

/** Whether a descriptor can be written to without waiting, and will be able to a while longer (unix_writable). */
export function isWritable(fd: number): boolean {
  return poll(new Int32Array([fd, POLLOUT]), 1, 0) > 0;
}

/** Keeps the program's event loop alive, unless it is told not to. */
export interface Watch extends Disposable {
  ref(): void;
  unref(): void;
}

/**
 * Calls `look` whenever an epoll descriptor has something to tell, until the answer is disposed. By setImmediate, because
 * koffi calls from outside of Node's event loop: promises that `look` settles would wait until something else happens. Until this
 * thread ends, because Node lets libuv run once more afterwards, and koffi ends the process when it calls into what is gone.
 */
function watch(epoll: number, look: () => void): Watch {
  const handle = koffi.node.poll(epoll, { readable: true }, () => void setImmediate(look));
  const exit = atExit(() => handle.close());
  return {
    ref: () => handle.ref(),
    unref: () => handle.unref(),
    [Symbol.dispose]() {
      exit[Symbol.dispose]();
      handle.close();
      closeSync(epoll);
    },
  };
}

/**
 * Resolves when no mount of the FUSE device is left in this process's namespace. `device` is `major:minor`, as in
 * MountInfo, and `connection` its /dev/fuse: once that has ended, the number can be another mount's (kill_anon_super).
 *
 * Whoever polls mountinfo is told of each change once, by POLLERR and POLLPRI (proc_pid_mounts(5)), and that is whoever polls
 * first (mounts_poll): when epoll_ctl(2) finds the change, epoll_wait(2) finds none any more. So a change between the last
 * look and libuv's epoll_ctl is never told, and libuv, which stops at POLLERR, would make one at every change. Here it makes
 * one, for an epoll descriptor of ours, which at first has in it what can always be written to: that is told as soon as libuv
 * watches, and from the look that follows on, no change is missed.
 */
export function mountGone(device: string, connection: number): Promise<void> {
  return new Promise((gone) => {
    const mountinfo = openSync('/proc/self/mountinfo', 'r');
    const epoll = epollCreate1(EPOLL_CLOEXEC);
    epollCtl(epoll, EPOLL_CTL_ADD, mountinfo, epollEvent(0));
    epollCtl(epoll, EPOLL_CTL_ADD, connection, epollEvent(EPOLLOUT));
    let isWatched = false;
    const watching = watch(epoll, () => {
      if (!isWatched) epollCtl(epoll, EPOLL_CTL_DEL, connection, epollEvent(0));
      isWatched = true;
      // In this order: a number that another mount has by now was freed before, and the connection had ended by then.
      if (mounts().some((mount) => mount.device === device) && !isHungUp(connection)) return;
      watching[Symbol.dispose]();
      closeSync(mountinfo);
      gone();
    });
  });
}

/**
 * Calls `look` when a descriptor has an error or is hung up, until the answer is disposed.
 *
 * By way of an epoll descriptor, because libuv makes non-blocking what it polls: that is a property of the open file, which
 * others may have duplicated and read from.
 */
export function whenHungUp(fd: number, look: () => void): Watch {
  return watchFor(0, fd, look);
}

/** Resolves when a descriptor has an error or is hung up, as that of a FUSE connection that ended (fuse_dev_poll). */
export function hungUp(fd: number): Promise<void> {
  return new Promise((done) => {
    const watching = whenHungUp(fd, () => {
      watching[Symbol.dispose]();
      done();
    });
  });
}

/** Calls `look` whenever a descriptor can be read, has an error or is hung up, until the answer is disposed. See `whenHungUp`. */
export function whenReadable(fd: number, look: () => void): Watch {
  return watchFor(POLLIN, fd, look);
}

function watchFor(events: number, fd: number, look: () => void): Watch {
  const epoll = epollCreate1(EPOLL_CLOEXEC);
  epollCtl(epoll, EPOLL_CTL_ADD, fd, epollEvent(events));
  return watch(epoll, look);
}
