import { constants } from 'node:fs';
import type { Timespec } from '../../../src/sys/time.ts';
import { UTIME_NOW, UTIME_OMIT } from '../../../src/sys/time.ts';
import { pattern } from '../../support/bytes.ts';
import { MAP_SHARED, PROT_READ, PROT_WRITE } from '../../support/calls/index.ts';
import { check } from '../case.ts';
import { TICK } from '../scene.ts';

const { O_RDWR, O_RDONLY, O_WRONLY, O_TRUNC, O_NOATIME, R_OK, W_OK, X_OK } = constants;
const S_IFREG = 0o100000;
const NOBODY = 65534;
const NOW: Timespec = { sec: 0, nsec: UTIME_NOW };
const OMIT: Timespec = { sec: 0, nsec: UTIME_OMIT };

function ns({ sec, nsec }: Timespec): bigint {
  return BigInt(sec) * 1_000_000_000n + BigInt(nsec);
}

export const attributeCases = [
  check('a new file says what it is', ({ stat, expect }) => {
    const { mode, uid, gid, nlink, size, blocks, blksize } = stat();
    expect(
      { mode, uid, gid, nlink, size, blocks, blksize },
      { mode: S_IFREG | 0o666, uid: 0, gid: 0, nlink: 1, size: 0, blocks: 0, blksize: 4096 },
    );
  }),

  check(
    'stat and fstat agree, here and in another process',
    async ({ sys, open, file, stat, client, expect }) => {
      const fd = open();
      expect(sys.pwrite(fd, pattern(0, 10_000), 5000), 10_000);
      expect(sys.fstat(fd), stat());
      const other = await client();
      expect(await other.stat(file), stat());
    },
  ),

  check('size and blocks are right after each write', ({ sys, open, stat, expect }) => {
    const fd = open();
    for (const [length, offset, size, blocks] of [
      [1, 0, 1, 8],
      [1, 4095, 4096, 8],
      [1, 4096, 4097, 16],
      [10, 100_000, 100_010, 24],
      [5000, 200, 100_010, 24],
    ] as const) {
      expect(sys.pwrite(fd, pattern(offset, length), offset), length);
      expect([stat().size, stat().blocks], [size, blocks]);
    }
  }),

  check('the inode number stays', ({ sys, open, stat, expect }) => {
    const { ino } = stat();
    expect(sys.pwrite(open(), 'abc', 0), 3);
    expect(sys.pwrite(open(O_RDWR | O_TRUNC), 'abc', 0), 3);
    expect(stat().ino, ino);
  }),

  check('a write moves mtime and ctime', async ({ sys, open, moved, expect }) => {
    const fd = open();
    expect(await moved(() => sys.pwrite(fd, 'abc', 0)), 'mtime ctime');
    expect(await moved(() => sys.pwrite(fd, 'abc', 0)), 'mtime ctime');
    expect(await moved(() => sys.pwrite(fd, 'abc', 10_000)), 'mtime ctime');
  }),

  check(
    'the first read after a write moves atime, the next does not',
    async ({ sys, open, moved, expect }) => {
      const fd = open();
      expect(sys.pwrite(fd, 'abc', 0), 3);
      expect(await moved(() => sys.pread(fd, 3, 0)), 'atime');
      expect(await moved(() => sys.pread(fd, 3, 0)), '');
      expect(await moved(() => sys.pwrite(fd, 'x', 0)), 'mtime ctime');
      expect(await moved(() => sys.pread(fd, 3, 0)), 'atime');
    },
  ),

  check('a read at the end moves atime like any other', async ({ sys, open, moved, expect }) => {
    const fd = open();
    expect(sys.pwrite(fd, 'abc', 0), 3);
    expect(await moved(() => sys.pread(fd, 3, 100)), 'atime');
  }),

  check('O_NOATIME leaves atime', async ({ sys, open, moved, expect }) => {
    expect(sys.pwrite(open(), 'abc', 0), 3);
    const fd = open(O_RDONLY | (O_NOATIME ?? 0));
    expect(await moved(() => sys.pread(fd, 3, 0)), '');
  }),

  check(
    'truncate moves mtime and ctime when the size changes',
    async ({ sys, open, file, moved, expect }) => {
      const fd = open();
      expect(await moved(() => sys.ftruncate(fd, 100)), 'mtime ctime');
      expect(await moved(() => sys.truncate(file, 50)), 'mtime ctime');
      expect(await moved(() => sys.ftruncate(fd, 50)), 'mtime ctime');
      expect(await moved(() => open(O_WRONLY | O_TRUNC)), 'mtime ctime');
      expect(await moved(() => open(O_WRONLY | O_TRUNC)), 'mtime ctime');
    },
  ),

  check(
    'truncate to the present size moves them all the same',
    async ({ sys, open, file, moved, expect }) => {
      expect(sys.pwrite(open(), 'abc', 0), 3);
      expect(await moved(() => sys.truncate(file, 3)), 'mtime ctime');
    },
  ),

  check(
    'truncate by path to the present size of a file without data moves nothing',
    async ({ sys, file, moved, expect }) => {
      expect(sys.truncate(file, 3), 0);
      expect(await moved(() => sys.truncate(file, 3)), '');
    },
  ),

  check('fallocate moves mtime and ctime', async ({ sys, open, moved, expect }) => {
    const fd = open();
    expect(await moved(() => sys.fallocate(fd, 0, 0, 10_000)), 'mtime ctime');
    expect(await moved(() => sys.fallocate(fd, 0, 0, 10_000)), 'mtime ctime');
    expect(await moved(() => sys.fallocate(fd, 1, 0, 50_000)), 'mtime ctime');
    expect(await moved(() => sys.fallocate(fd, 3, 0, 5000)), 'mtime ctime');
  }),

  check(
    'a store in a shared mapping moves mtime and ctime by msync',
    async ({ sys, open, moved, mapped, expect }) => {
      const fd = open();
      expect(sys.ftruncate(fd, 4096), 0);
      // Or the page fault's read would move atime too.
      expect(sys.pread(fd, 1, 0), '\0');
      const memory = mapped(sys.mmap(fd, 0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED));
      expect(
        await moved(() => {
          sys.store(memory, 'abc');
          sys.msync(memory, 4096);
        }),
        'mtime ctime',
      );
      expect(sys.munmap(memory, 4096), 0);
    },
  ),

  check('looking moves nothing', async ({ sys, open, file, dir, moved, expect }) => {
    expect(sys.pwrite(open(), 'abc', 0), 3);
    const look = () => {
      open();
      sys.stat(file);
      sys.statfs(dir);
      sys.fsync(open());
      sys.lseek(open(), 0, 3);
    };
    expect(await moved(look), '');
  }),

  check('chmod sets every bit, and moves ctime', async ({ sys, file, stat, moved, expect }) => {
    for (const mode of [0, 0o600, 0o644, 0o4755, 0o7777]) {
      expect(await moved(() => expect(sys.chmod(file, mode), 0)), 'ctime');
      expect(stat().mode, S_IFREG | mode);
    }
  }),

  check('fchmod sets the mode', ({ sys, open, stat, expect }) => {
    expect(sys.fchmod(open(), 0o640), 0);
    expect(stat().mode, S_IFREG | 0o640);
  }),

  check('chown sets owner and group, and moves ctime', async ({ sys, open, file, stat, moved, expect }) => {
    expect(await moved(() => expect(sys.chown(file, 1234, 5678), 0)), 'ctime');
    expect([stat().uid, stat().gid], [1234, 5678]);
    expect(sys.fchown(open(), 0xfffffffe, 7), 0);
    expect([stat().uid, stat().gid], [0xfffffffe, 7]);
  }),

  check('chown with -1 leaves the one or the other', ({ sys, file, stat, expect }) => {
    expect(sys.chown(file, 1234, 5678), 0);
    expect(sys.chown(file, -1, 9), 0);
    expect([stat().uid, stat().gid], [1234, 9]);
    expect(sys.chown(file, 8, -1), 0);
    expect([stat().uid, stat().gid], [8, 9]);
  }),

  check('chown with -1 twice moves ctime alone', async ({ sys, open, file, stat, moved, expect }) => {
    expect(sys.chown(file, 1234, 5678), 0);
    expect(sys.chmod(file, 0o640), 0);
    expect(await moved(() => expect(sys.chown(file, -1, -1), 0)), 'ctime');
    expect(await moved(() => expect(sys.fchown(open(), -1, -1), 0)), 'ctime');
    expect([stat().mode, stat().uid, stat().gid], [S_IFREG | 0o640, 1234, 5678]);
  }),

  check('chown takes the set-user-ID bits away', ({ sys, file, stat, expect }) => {
    expect(sys.chmod(file, 0o6777), 0);
    expect(sys.chown(file, 1, 1), 0);
    expect(stat().mode, S_IFREG | 0o777);
  }),

  check('utimensat sets both times to the nanosecond', async ({ sys, file, stat, moved, expect }) => {
    const atime = { sec: 1_000_000_000, nsec: 123_456_789 };
    const mtime = { sec: 2_000_000_000, nsec: 999_999_999 };
    expect(await moved(() => expect(sys.utimensat(file, atime, mtime), 0)), 'mtime ctime');
    expect([stat().atime, stat().mtime], [ns(atime), ns(mtime)]);
  }),

  check('futimens does the same by descriptor', ({ sys, open, stat, expect }) => {
    const [atime, mtime] = [
      { sec: 5, nsec: 6 },
      { sec: 7, nsec: 8 },
    ];
    expect(sys.futimens(open(O_RDONLY), atime, mtime), 0);
    expect([stat().atime, stat().mtime], [ns(atime), ns(mtime)]);
  }),

  check('times before 1970 and after 2106 are kept', ({ sys, file, stat, expect }) => {
    for (const sec of [-1, -2_000_000_000, 0, 2 ** 31, 2 ** 32 + 5, 2 ** 35]) {
      const time = { sec, nsec: 500 };
      expect(sys.utimensat(file, time, time), 0);
      expect([stat().atime, stat().mtime], [ns(time), ns(time)]);
    }
  }),

  check('UTIME_OMIT leaves a time', ({ sys, file, stat, expect }) => {
    const [old, fresh] = [
      { sec: 1000, nsec: 1 },
      { sec: 2000, nsec: 2 },
    ];
    expect(sys.utimensat(file, old, old), 0);
    expect(sys.utimensat(file, OMIT, fresh), 0);
    expect([stat().atime, stat().mtime], [ns(old), ns(fresh)]);
    expect(sys.utimensat(file, fresh, OMIT), 0);
    expect([stat().atime, stat().mtime], [ns(fresh), ns(fresh)]);
  }),

  check('UTIME_OMIT twice moves nothing', async ({ sys, file, moved, expect }) => {
    expect(await moved(() => expect(sys.utimensat(file, OMIT, OMIT), 0)), '');
  }),

  check('UTIME_NOW is the present', async ({ sys, file, stat, moved, expect }) => {
    const old = { sec: 1000, nsec: 0 };
    expect(sys.utimensat(file, old, old), 0);
    expect(await moved(() => sys.utimensat(file, NOW, OMIT)), 'atime ctime');
    expect(stat().mtime, ns(old));
    expect(await moved(() => sys.utimensat(file, OMIT, NOW)), 'mtime ctime');
    const before = Date.now();
    expect(await moved(() => sys.touch(file)), 'atime mtime ctime');
    expect(stat().atime, stat().mtime);
    const present = Number(stat().mtime / 1_000_000n);
    expect(before - TICK <= present && present <= Date.now(), true);
  }),

  check('nanoseconds out of range are EINVAL', ({ sys, file, expect }) => {
    expect(sys.utimensat(file, { sec: 1, nsec: 1_000_000_000 }, NOW), 'EINVAL');
    expect(sys.utimensat(file, NOW, { sec: 1, nsec: -1 }), 'EINVAL');
  }),

  check('a write after utimensat moves mtime on from there', ({ sys, open, file, stat, expect }) => {
    const fd = open();
    expect(sys.pwrite(fd, pattern(0, 100), 0), 100);
    const old = { sec: 1000, nsec: 5 };
    expect(sys.utimensat(file, old, old), 0);
    expect(sys.pwrite(fd, 'x', 0), 1);
    expect(stat().mtime > ns(old), true);
    expect(stat().atime, ns(old));
  }),

  check('another user is bound by mode and owner', async ({ sys, file, client, expect }) => {
    const nobody = await client(NOBODY);
    expect(sys.chmod(file, 0o600), 0);
    expect(await nobody.open(file, O_RDONLY), 'EACCES');
    expect(await nobody.access(file, R_OK), 'EACCES');
    expect(await nobody.truncate(file, 0), 'EACCES');
    expect(sys.chmod(file, 0o644), 0);
    expect(await nobody.open(file, O_RDWR), 'EACCES');
    expect(await nobody.open(file, O_WRONLY | O_TRUNC), 'EACCES');
    expect(await nobody.access(file, R_OK), 0);
    expect(await nobody.access(file, W_OK), 'EACCES');
    const fd = Number(await nobody.open(file, O_RDONLY));
    expect(await nobody.pread(fd, 1, 0), '');
    expect(await nobody.chmod(file, 0o666), 'EPERM');
    expect(await nobody.chown(file, NOBODY, NOBODY), 'EPERM');
    expect(await nobody.touch(file), 'EACCES');
    expect(await nobody.utimensat(file, { sec: 1, nsec: 1 }, { sec: 1, nsec: 1 }), 'EPERM');
    expect(await nobody.open(file, O_RDONLY | (O_NOATIME ?? 0)), 'EPERM');
    expect(sys.access(file, X_OK), 'EACCES');
  }),

  check('another user who owns it may what an owner may', async ({ sys, file, client, expect }) => {
    const nobody = await client(NOBODY);
    expect(sys.chown(file, NOBODY, NOBODY), 0);
    expect(sys.chmod(file, 0o600), 0);
    const fd = Number(await nobody.open(file, O_RDWR));
    expect(await nobody.pwrite(fd, 'abc', 0), 3);
    expect(await nobody.chmod(file, 0o640), 0);
    expect(await nobody.utimensat(file, { sec: 1, nsec: 1 }, { sec: 1, nsec: 1 }), 0);
    expect(await nobody.chown(file, 0, 0), 'EPERM');
    expect(sys.chown(file, 0, 0), 0);
    // A descriptor keeps what it was opened with.
    expect(await nobody.pread(fd, 3, 0), 'abc');
  }),

  check(
    'writing as another user takes the set-user-ID bits away',
    async ({ sys, file, stat, client, expect }) => {
      const nobody = await client(NOBODY);
      expect(sys.chmod(file, 0o6777), 0);
      const fd = Number(await nobody.open(file, O_RDWR));
      expect(await nobody.pwrite(fd, 'abc', 0), 3);
      expect(stat().mode, S_IFREG | 0o777);
      expect(sys.chmod(file, 0o6777), 0);
      expect(await nobody.ftruncate(fd, 1), 0);
      expect(stat().mode, S_IFREG | 0o777);
    },
  ),
];
