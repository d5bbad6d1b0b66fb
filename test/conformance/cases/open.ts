import { constants } from 'node:fs';
import { O_PATH, SEEK_CUR } from '../../support/calls/index.ts';
import { check } from '../case.ts';

const {
  O_RDONLY,
  O_WRONLY,
  O_RDWR,
  O_APPEND,
  O_CREAT,
  O_EXCL,
  O_TRUNC,
  O_DIRECT,
  O_SYNC,
  O_DSYNC,
  O_NONBLOCK,
  O_NOATIME,
  O_NOFOLLOW,
  O_DIRECTORY,
} = constants;

/** Of the flags, those that F_GETFL tells of again. */
const KEPT = O_RDWR | O_WRONLY | O_APPEND | O_DIRECT | O_SYNC | O_NONBLOCK;

export const openCases = [
  check('a descriptor opened O_RDONLY reads and refuses to write', ({ sys, open, expect }) => {
    expect(sys.write(open(), 'abc'), 3);
    const fd = open(O_RDONLY);
    expect(sys.read(fd, 10), 'abc');
    expect(sys.write(fd, 'x'), 'EBADF');
    expect(sys.ftruncate(fd, 0), 'EINVAL');
    expect(sys.fallocate(fd, 0, 0, 10), 'EBADF');
  }),

  check('a descriptor opened O_WRONLY writes and refuses to read', ({ sys, open, expect }) => {
    const fd = open(O_WRONLY);
    expect(sys.write(fd, 'abc'), 3);
    expect(sys.read(fd, 10), 'EBADF');
    expect(sys.pread(fd, 10, 0), 'EBADF');
    expect(sys.pread(open(O_RDONLY), 10, 0), 'abc');
  }),

  check('a descriptor opened O_RDWR does both', ({ sys, open, expect }) => {
    const fd = open(O_RDWR);
    expect(sys.write(fd, 'abc'), 3);
    expect(sys.pread(fd, 10, 0), 'abc');
  }),

  check('access mode 3 opens, and neither reads nor writes', ({ sys, open, expect }) => {
    const fd = open(3);
    expect(sys.read(fd, 1), 'EBADF');
    expect(sys.write(fd, 'x'), 'EBADF');
  }),

  check('O_TRUNC empties the file at once', ({ sys, open, stat, expect }) => {
    expect(sys.write(open(), 'abc'), 3);
    const fd = open(O_WRONLY | O_TRUNC);
    expect(stat().size, 0);
    expect(stat().blocks, 0);
    expect(sys.fstat(fd), stat());
  }),

  check('O_TRUNC empties the file also with O_RDONLY', ({ sys, open, stat, expect }) => {
    expect(sys.write(open(), 'abc'), 3);
    expect(sys.read(open(O_RDONLY | O_TRUNC), 10), '');
    expect(stat().size, 0);
  }),

  check('O_TRUNC lets others that have it open read the new end', ({ sys, open, expect }) => {
    const fd = open();
    expect(sys.write(fd, 'abc'), 3);
    open(O_RDWR | O_TRUNC);
    expect(sys.pread(fd, 10, 0), '');
    expect(sys.write(fd, 'def'), 3);
    expect(sys.pread(fd, 10, 0), '\0\0\0def');
  }),

  check('O_APPEND writes at the end, wherever the position is', ({ sys, open, expect }) => {
    expect(sys.write(open(), 'abc'), 3);
    const fd = open(O_RDWR | O_APPEND);
    expect(sys.lseek(fd, 0, SEEK_CUR), 0);
    expect(sys.write(fd, 'def'), 3);
    expect(sys.lseek(fd, 0, SEEK_CUR), 6);
    expect(sys.lseek(fd, 1, 0), 1);
    expect(sys.write(fd, 'ghi'), 3);
    expect(sys.pread(fd, 10, 0), 'abcdefghi');
  }),

  check('O_APPEND makes pwrite append too', ({ sys, open, expect }) => {
    const fd = open(O_RDWR | O_APPEND);
    expect(sys.write(fd, 'abc'), 3);
    expect(sys.pwrite(fd, 'def', 0), 3);
    expect(sys.pread(fd, 10, 0), 'abcdef');
  }),

  check('O_APPEND can be set and cleared later', ({ sys, open, expect }) => {
    const fd = open();
    expect(sys.write(fd, 'abc'), 3);
    expect(sys.setFlags(fd, O_APPEND), 0);
    expect(sys.lseek(fd, 0, 0), 0);
    expect(sys.write(fd, 'def'), 3);
    expect(sys.setFlags(fd, 0), 0);
    expect(sys.lseek(fd, 0, 0), 0);
    expect(sys.write(fd, 'X'), 1);
    expect(sys.pread(fd, 10, 0), 'Xbcdef');
  }),

  check('O_APPEND finds the end that another descriptor made', ({ sys, open, expect }) => {
    const appends = open(O_WRONLY | O_APPEND);
    const fd = open();
    expect(sys.write(fd, 'abcdef'), 6);
    expect(sys.write(appends, 'X'), 1);
    expect(sys.ftruncate(fd, 2), 0);
    expect(sys.write(appends, 'Y'), 1);
    expect(sys.pread(fd, 10, 0), 'abY');
  }),

  check('O_CREAT opens the file that is there', ({ sys, file, expect }) => {
    const fd = sys.open(file, O_RDWR | O_CREAT, 0o600);
    expect(typeof fd, 'number');
  }),

  check('O_CREAT | O_EXCL is refused for the file that is there', ({ sys, file, expect }) => {
    expect(sys.open(file, O_RDWR | O_CREAT | O_EXCL), 'EEXIST');
  }),

  check('O_EXCL alone means nothing', ({ sys, open, expect }) => {
    expect(sys.write(open(O_RDWR | O_EXCL), 'abc'), 3);
  }),

  check('O_DIRECTORY is refused', ({ sys, file, expect }) => {
    expect(sys.open(file, O_RDONLY | O_DIRECTORY), 'ENOTDIR');
  }),

  check('the file is no directory to look further in', ({ sys, file, expect }) => {
    expect(sys.open(`${file}/x`, O_RDONLY), 'ENOTDIR');
    expect(sys.open(`${file}/`, O_RDONLY), 'ENOTDIR');
  }),

  check('O_PATH gives a descriptor that only names the file', ({ sys, open, stat, expect }) => {
    const fd = open(O_PATH);
    expect(sys.fstat(fd), stat());
    expect(sys.read(fd, 1), 'EBADF');
    expect(sys.lseek(fd, 0, 0), 'EBADF');
  }),

  check('a descriptor can be opened again through /proc/self/fd', ({ sys, open, expect }) => {
    const fd = open();
    expect(sys.write(fd, 'abc'), 3);
    const again = sys.open(`/proc/self/fd/${fd}`, O_RDONLY);
    expect(sys.read(Number(again), 10), 'abc');
  }),

  check('the flags of open are told again by fcntl', ({ sys, open, expect }) => {
    const flags = O_RDWR | O_APPEND | O_NONBLOCK | O_SYNC;
    expect(Number(sys.getFlags(open(flags))) & KEPT, flags);
    expect(Number(sys.getFlags(open(O_WRONLY | O_DSYNC))) & KEPT, O_WRONLY | O_DSYNC);
  }),

  check('O_SYNC, O_DSYNC, O_NONBLOCK, O_NOATIME and O_NOFOLLOW read and write', ({ sys, open, expect }) => {
    for (const flag of [O_SYNC, O_DSYNC, O_NONBLOCK, O_NOATIME ?? 0, O_NOFOLLOW]) {
      const fd = open(O_RDWR | flag);
      expect(sys.pwrite(fd, 'abc', 5), 3);
      expect(sys.pread(fd, 10, 5), 'abc');
    }
  }),

  check('O_DIRECT reads and writes at odd offsets and lengths', ({ sys, open, expect }) => {
    const fd = open(O_RDWR | O_DIRECT);
    expect(sys.pwrite(fd, 'abc', 4095), 3);
    expect(sys.pread(fd, 5, 4094), '\0abc');
    expect(sys.pwrite(fd, 'X', 4096), 1);
    expect(sys.pread(fd, 7, 4095), 'aXc');
  }),

  check('a closed descriptor is EBADF', ({ sys, file, expect }) => {
    const fd = Number(sys.open(file, O_RDWR));
    expect(sys.close(fd), 0);
    expect(sys.close(fd), 'EBADF');
    expect(sys.read(fd, 1), 'EBADF');
  }),

  check('a thousand descriptors can be open at once', ({ sys, open, stat, expect }) => {
    const descriptors = Array.from({ length: 1000 }, () => open());
    for (const [i, fd] of descriptors.entries()) expect(sys.pwrite(fd, String(i % 10), i), 1);
    expect(stat().size, 1000);
    expect(sys.pread(descriptors[500] ?? -1, 20, 980), '01234567890123456789');
  }),
];
