import { constants } from 'node:fs';
import {
  F_RDLCK,
  F_UNLCK,
  F_WRLCK,
  LOCK_EX,
  LOCK_NB,
  LOCK_SH,
  LOCK_UN,
  POLLIN,
  POLLOUT,
  POLLRDNORM,
  POLLWRNORM,
} from '../../support/calls/index.ts';
import { check } from '../case.ts';

const { O_RDWR, O_RDONLY } = constants;

export const lockCases = [
  check('flock LOCK_EX keeps other processes out', async ({ sys, open, file, client, expect }) => {
    const fd = open();
    const other = await client();
    const theirs = Number(await other.open(file, O_RDWR));
    expect(sys.flock(fd, LOCK_EX), 0);
    expect(await other.flock(theirs, LOCK_EX | LOCK_NB), 'EAGAIN');
    expect(await other.flock(theirs, LOCK_SH | LOCK_NB), 'EAGAIN');
    expect(sys.flock(fd, LOCK_UN), 0);
    expect(await other.flock(theirs, LOCK_EX | LOCK_NB), 0);
    expect(sys.flock(fd, LOCK_SH | LOCK_NB), 'EAGAIN');
  }),

  check('flock LOCK_SH is shared', async ({ sys, open, file, client, expect }) => {
    const fd = open(O_RDONLY);
    const other = await client();
    const theirs = Number(await other.open(file, O_RDONLY));
    expect(sys.flock(fd, LOCK_SH), 0);
    expect(await other.flock(theirs, LOCK_SH | LOCK_NB), 0);
    expect(sys.flock(fd, LOCK_EX | LOCK_NB), 'EAGAIN');
    expect(await other.flock(theirs, LOCK_UN), 0);
    expect(sys.flock(fd, LOCK_EX | LOCK_NB), 0);
  }),

  check('flock belongs to the descriptor', ({ sys, open, expect }) => {
    const [one, other] = [open(), open()];
    expect(sys.flock(one, LOCK_EX), 0);
    expect(sys.flock(other, LOCK_EX | LOCK_NB), 'EAGAIN');
    expect(sys.close(one), 0);
    expect(sys.flock(other, LOCK_EX | LOCK_NB), 0);
  }),

  check('who waits for a flock gets it when it is free', async ({ sys, open, file, client, expect }) => {
    const fd = open();
    const other = await client();
    const theirs = Number(await other.open(file, O_RDWR));
    expect(sys.flock(fd, LOCK_EX), 0);
    const waits = other.flock(theirs, LOCK_EX);
    expect(sys.flock(fd, LOCK_UN), 0);
    expect(await waits, 0);
    expect(sys.flock(fd, LOCK_EX | LOCK_NB), 'EAGAIN');
  }),

  check('fcntl locks keep other processes out of a range', async ({ sys, open, file, client, expect }) => {
    const fd = open();
    const other = await client();
    const theirs = Number(await other.open(file, O_RDWR));
    expect(sys.lock(fd, F_WRLCK, 100, 50), 0);
    expect(await other.lock(theirs, F_WRLCK, 120, 10), 'EAGAIN');
    expect(await other.lock(theirs, F_RDLCK, 149, 10), 'EAGAIN');
    expect(await other.lock(theirs, F_WRLCK, 150, 0), 0);
    expect(await other.lock(theirs, F_WRLCK, 0, 100), 0);
    expect(sys.lock(fd, F_WRLCK, 0, 0), 'EAGAIN');
    expect(await other.lockInTheWay(theirs, F_WRLCK, 0, 0), [F_WRLCK, process.pid]);
    expect(sys.lock(fd, F_UNLCK, 0, 0), 0);
    expect(await other.lockInTheWay(theirs, F_WRLCK, 0, 0), [F_UNLCK, 0]);
  }),

  check('fcntl read locks are shared', async ({ sys, open, file, client, expect }) => {
    const fd = open();
    const other = await client();
    const theirs = Number(await other.open(file, O_RDWR));
    expect(sys.lock(fd, F_RDLCK, 0, 0), 0);
    expect(await other.lock(theirs, F_RDLCK, 0, 0), 0);
    expect(sys.lock(fd, F_WRLCK, 5, 1), 'EAGAIN');
  }),

  check(
    'fcntl locks go with any descriptor that their process closes',
    async ({ sys, open, file, client, expect }) => {
      const [one, two] = [open(), open()];
      const other = await client();
      const theirs = Number(await other.open(file, O_RDWR));
      expect(sys.lock(one, F_WRLCK, 0, 0), 0);
      expect(await other.lock(theirs, F_WRLCK, 0, 0), 'EAGAIN');
      expect(sys.close(two), 0);
      expect(await other.lock(theirs, F_WRLCK, 0, 0), 0);
    },
  ),

  check(
    'who waits for an fcntl lock gets it when it is free',
    async ({ sys, open, file, client, expect }) => {
      const fd = open();
      const other = await client();
      const theirs = Number(await other.open(file, O_RDWR));
      expect(sys.lock(fd, F_WRLCK, 0, 10), 0);
      const waits = other.lockWait(theirs, F_WRLCK, 5, 10);
      expect(sys.lock(fd, F_UNLCK, 0, 10), 0);
      expect(await waits, 0);
    },
  ),

  check('locks of an open file description conflict within a process', ({ sys, open, expect }) => {
    const [one, other] = [open(), open()];
    expect(sys.lockDescription(one, F_WRLCK, 0, 10), 0);
    expect(sys.lockDescription(other, F_WRLCK, 5, 10), 'EAGAIN');
    expect(sys.lockDescription(other, F_WRLCK, 10, 10), 0);
  }),

  check('wrong access modes for a lock are EBADF', ({ sys, open, expect }) => {
    expect(sys.lock(open(O_RDONLY), F_WRLCK, 0, 0), 'EBADF');
    expect(sys.flock(open(O_RDONLY), LOCK_EX | LOCK_NB), 0);
  }),

  check('the locks of a process that is killed are free', async ({ sys, open, file, client, expect }) => {
    const fd = open();
    const other = await client();
    const theirs = Number(await other.open(file, O_RDWR));
    expect(await other.flock(theirs, LOCK_EX), 0);
    expect(await other.lock(theirs, F_WRLCK, 0, 0), 0);
    expect(sys.flock(fd, LOCK_EX | LOCK_NB), 'EAGAIN');
    await other.exit().catch(() => {});
    expect(sys.flock(fd, LOCK_EX), 0);
    expect(sys.lockWait(fd, F_WRLCK, 0, 0), 0);
  }),
];

const READY = POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;

export const waitCases = [
  check('poll says at once that the file can be read and written', ({ sys, open, expect }) => {
    expect(sys.poll(open(), READY, 1000), READY);
    expect(sys.poll(open(), POLLIN, -1), POLLIN);
    expect(sys.poll(open(O_RDONLY), READY, 1000), READY);
  }),

  check('poll for nothing waits for its time', ({ sys, open, expect }) => {
    expect(sys.poll(open(), 0, 10), 0);
  }),

  check('fsync and fdatasync succeed, also without write access', ({ sys, open, expect }) => {
    expect(sys.pwrite(open(), 'abc', 0), 3);
    expect(sys.fsync(open()), 0);
    expect(sys.fdatasync(open()), 0);
    expect(sys.fsync(open(O_RDONLY)), 0);
  }),

  check('an unknown ioctl is ENOTTY', ({ sys, open, expect }) => {
    expect(sys.ioctl(open(), 0x5401), 'ENOTTY');
    expect(sys.ioctl(open(), 0x1234), 'ENOTTY');
  }),
];
