import { constants } from 'node:fs';
import { pattern } from '../../support/bytes.ts';
import { check } from '../case.ts';

/** Source: linux/falloc.h. */
const KEEP_SIZE = 0x01;
const PUNCH_HOLE = 0x02;
const COLLAPSE_RANGE = 0x08;
const ZERO_RANGE = 0x10;
const INSERT_RANGE = 0x20;
const UNSHARE_RANGE = 0x40;

/** A page. */
const K = 4096;

const NO_ZERO_RANGE = { got: 'EOPNOTSUPP', why: 'tmpfs has no FALLOC_FL_ZERO_RANGE' };

export const fallocateCases = [
  check('preallocates, and makes the file longer', ({ sys, open, stat, expect }) => {
    const fd = open();
    expect(sys.fallocate(fd, 0, 0, 10 * K), 0);
    expect(stat().size, 10 * K);
    expect(stat().blocks, 80);
    expect(sys.pread(fd, 20 * K, 0), Buffer.alloc(10 * K));
  }),

  check('preallocation keeps what is there', ({ sys, open, stat, expect }) => {
    const fd = open();
    expect(sys.pwrite(fd, pattern(0, 5000), 3000), 5000);
    expect(sys.fallocate(fd, 0, 100, 20_000), 0);
    expect(stat().size, 20_100);
    expect(sys.pread(fd, 5000, 3000), Buffer.from(pattern(0, 5000)));
  }),

  check('preallocation within the file leaves its size', ({ sys, open, stat, expect }) => {
    const fd = open();
    expect(sys.ftruncate(fd, 10 * K), 0);
    expect(sys.fallocate(fd, 0, 2 * K, K), 0);
    expect(stat().size, 10 * K);
    expect(stat().blocks, 8);
  }),

  check('KEEP_SIZE takes the memory and leaves the size', ({ sys, open, stat, expect }) => {
    const fd = open();
    expect(sys.pwrite(fd, 'abc', 0), 3);
    expect(sys.fallocate(fd, KEEP_SIZE, 0, 10 * K), 0);
    expect(stat().size, 3);
    expect(stat().blocks, 80);
    expect(sys.pread(fd, 10, 0), 'abc');
    expect(sys.pwrite(fd, 'x', 9 * K), 1);
    expect(stat().blocks, 80);
    expect(sys.pread(fd, 5, 9 * K - 4), '\0\0\0\0x');
  }),

  check('truncate takes back what KEEP_SIZE reserved', ({ sys, open, stat, expect }) => {
    const fd = open();
    expect(sys.fallocate(fd, KEEP_SIZE, 0, 10 * K), 0);
    expect(sys.ftruncate(fd, 0), 0);
    expect(stat().blocks, 0);
  }),

  check('PUNCH_HOLE frees whole pages and zeroes parts', ({ sys, open, stat, expect }) => {
    const fd = open();
    expect(sys.pwrite(fd, pattern(0, 5 * K), 0), 5 * K);
    expect(sys.fallocate(fd, PUNCH_HOLE | KEEP_SIZE, K - 10, 2 * K + 20), 0);
    expect(stat().size, 5 * K);
    expect(stat().blocks, 24);
    const wanted = Buffer.from(pattern(0, 5 * K));
    wanted.fill(0, K - 10, 3 * K + 10);
    expect(sys.pread(fd, 6 * K, 0), wanted);
  }),

  check('PUNCH_HOLE within one page zeroes and frees nothing', ({ sys, open, stat, expect }) => {
    const fd = open();
    expect(sys.pwrite(fd, 'abcdefgh', 0), 8);
    expect(sys.fallocate(fd, PUNCH_HOLE | KEEP_SIZE, 2, 3), 0);
    expect(sys.pread(fd, 10, 0), 'ab\0\0\0fgh');
    expect(stat().blocks, 8);
  }),

  check('PUNCH_HOLE past the end changes nothing', ({ sys, open, stat, expect }) => {
    const fd = open();
    expect(sys.pwrite(fd, 'abc', 0), 3);
    expect(sys.fallocate(fd, PUNCH_HOLE | KEEP_SIZE, 10 * K, K), 0);
    expect(stat().size, 3);
    expect(stat().blocks, 8);
  }),

  check('PUNCH_HOLE up to the end frees the last page', ({ sys, open, stat, expect }) => {
    const fd = open();
    expect(sys.pwrite(fd, pattern(0, K + 100), 0), K + 100);
    expect(sys.fallocate(fd, PUNCH_HOLE | KEEP_SIZE, K, K), 0);
    expect(stat().blocks, 8);
    expect(stat().size, K + 100);
    expect(sys.pread(fd, 200, K), Buffer.alloc(100));
  }),

  check('PUNCH_HOLE without KEEP_SIZE is EOPNOTSUPP', ({ sys, open, expect }) => {
    expect(sys.fallocate(open(), PUNCH_HOLE, 0, K), 'EOPNOTSUPP');
  }),

  check(
    'ZERO_RANGE zeroes and keeps the memory',
    ({ sys, open, stat, expect }) => {
      const fd = open();
      expect(sys.pwrite(fd, pattern(0, 5 * K), 0), 5 * K);
      expect(sys.fallocate(fd, ZERO_RANGE, K - 10, 2 * K), 0);
      expect(stat().size, 5 * K);
      expect(stat().blocks, 40);
      const wanted = Buffer.from(pattern(0, 5 * K));
      wanted.fill(0, K - 10, 3 * K - 10);
      expect(sys.pread(fd, 6 * K, 0), wanted);
    },
    { tmpfs: NO_ZERO_RANGE },
  ),

  check(
    'ZERO_RANGE past the end makes the file longer',
    ({ sys, open, stat, expect }) => {
      const fd = open();
      expect(sys.pwrite(fd, 'abc', 0), 3);
      expect(sys.fallocate(fd, ZERO_RANGE, 1, 2 * K), 0);
      expect(stat().size, 2 * K + 1);
      expect(stat().blocks, 24);
      expect(sys.pread(fd, 10, 0), 'a\0\0\0\0\0\0\0\0\0');
    },
    { tmpfs: NO_ZERO_RANGE },
  ),

  check(
    'ZERO_RANGE with KEEP_SIZE leaves the size',
    ({ sys, open, stat, expect }) => {
      const fd = open();
      expect(sys.pwrite(fd, 'abc', 0), 3);
      expect(sys.fallocate(fd, ZERO_RANGE | KEEP_SIZE, 1, 2 * K), 0);
      expect(stat().size, 3);
      expect(stat().blocks, 24);
      expect(sys.pread(fd, 10, 0), 'a\0\0');
    },
    { tmpfs: NO_ZERO_RANGE },
  ),

  check('every other mode is EOPNOTSUPP', ({ sys, open, expect }) => {
    const fd = open();
    expect(sys.pwrite(fd, pattern(0, 4 * K), 0), 4 * K);
    for (const mode of [
      COLLAPSE_RANGE,
      INSERT_RANGE,
      UNSHARE_RANGE,
      0x100,
      PUNCH_HOLE | ZERO_RANGE | KEEP_SIZE,
    ]) {
      expect(sys.fallocate(fd, mode, K, K), 'EOPNOTSUPP');
    }
    expect(sys.pread(fd, 5 * K, 0), Buffer.from(pattern(0, 4 * K)));
  }),

  check('nonsense ranges are EINVAL', ({ sys, open, expect }) => {
    const fd = open();
    expect(sys.fallocate(fd, 0, 0, 0), 'EINVAL');
    expect(sys.fallocate(fd, 0, -1, 10), 'EINVAL');
    expect(sys.fallocate(fd, 0, 0, -10), 'EINVAL');
    expect(sys.fallocate(fd, PUNCH_HOLE | KEEP_SIZE, 0, 0), 'EINVAL');
  }),

  check('a descriptor without write access is EBADF', ({ sys, open, expect }) => {
    expect(sys.fallocate(open(constants.O_RDONLY), 0, 0, 10), 'EBADF');
  }),
];
