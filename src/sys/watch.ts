import { closeSync, openSync } from 'node:fs';
import koffi from 'koffi';
import { libcFunction } from './libc.ts';
import { mounts } from './mountinfo.ts';

const EPOLL_CLOEXEC = 0o2000000;
const EPOLL_CTL_ADD = 1;

/** sizeof(struct epoll_event), packed. All zero: EPOLLERR and EPOLLHUP, which are always watched for. */
const NO_EVENTS = new Uint8Array(12);

/** For koffi's poll, which wants an event to watch for: one that neither file here knows. Errors come all the same. */
const ERRORS_ONLY = { disconnect: true };

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

/** Whether the process of a pidfd has ended. Source: pidfd_open(2). */
export function hasEnded(pidfd: number): boolean {
  return poll(new Int32Array([pidfd, POLLIN]), 1, 0) > 0;
}

/**
 * Resolves when no mount of the FUSE device is left in this process's namespace. `device` is `major:minor`, as in
 * MountInfo, and `connection` its /dev/fuse: once that has ended, the number can be another mount's (kill_anon_super).
 *
 * Whoever polls mountinfo is told of each change by POLLERR and POLLPRI. Source: proc_pid_mounts(5).
 */
export function mountGone(device: string, connection: number): Promise<void> {
  return new Promise((gone) => {
    const fd = openSync('/proc/self/mountinfo', 'r');
    const handle = koffi.node.poll(fd, ERRORS_ONLY, lookSoon);
    let done = false;
    look();

    /** After koffi has called, Node 26 runs no promise's continuation before something else calls. */
    function lookSoon(): void {
      setImmediate(look);
    }

    function look(): void {
      if (ended()) return;
      // libuv stops at an error.
      handle.start(ERRORS_ONLY, lookSoon);
      // It asks the kernel for the first time when the event loop comes round, and what has changed until then it would never
      // be told: asking it is what marks a change as seen (mounts_poll).
      setImmediate(() => setImmediate(ended));
    }

    function ended(): boolean {
      if (done) return true;
      // In this order: a number that another mount has by now was freed before, and the connection had ended by then.
      if (mounts().some((mount) => mount.device === device) && !isHungUp(connection)) return false;
      done = true;
      handle.close();
      closeSync(fd);
      gone();
      return true;
    }
  });
}

/**
 * Resolves when a descriptor has an error or is hung up, as that of a FUSE connection that ended (fuse_dev_poll).
 *
 * By way of an epoll descriptor, because libuv makes non-blocking what it polls: that is a property of the open file, which
 * others may have duplicated and read from.
 */
export function hungUp(fd: number): Promise<void> {
  return new Promise((done) => {
    const epoll = epollCreate1(EPOLL_CLOEXEC);
    epollCtl(epoll, EPOLL_CTL_ADD, fd, NO_EVENTS);
    const handle = koffi.node.poll(epoll, { readable: true }, () => {
      handle.close();
      closeSync(epoll);
      // As above.
      setImmediate(done);
    });
  });
}
