import { constants } from 'node:fs';
import { pattern } from '../../support/bytes.ts';
import { MAP_SHARED, PROT_READ, PROT_WRITE } from '../../support/calls/index.ts';
import { check } from '../case.ts';

const { O_RDWR, O_APPEND, O_DIRECT } = constants;

/** A page. */
const K = 4096;
/** The limit of these cases: 64 pages. */
const maxSize = 64 * K;

export const limitCases = [
  check(
    'the file takes as much as the limit, and not a byte more',
    ({ sys, open, stat, expect }) => {
      const fd = open();
      expect(sys.pwrite(fd, pattern(0, maxSize), 0), maxSize);
      expect(sys.pwrite(fd, 'x', maxSize), 'ENOSPC');
      expect(stat().size, maxSize);
      expect(sys.pread(fd, maxSize + 1, 0), Buffer.from(pattern(0, maxSize)));
    },
    { maxSize },
  ),

  check(
    'of a write over the limit what fits is written and counted',
    ({ sys, open, stat, expect }) => {
      const fd = open();
      expect(sys.pwrite(fd, pattern(0, maxSize + 5000), 0), maxSize);
      expect(stat().size, maxSize);
      expect(sys.ftruncate(fd, 0), 0);
      expect(sys.pwrite(fd, pattern(100, maxSize), 100), maxSize - 100);
      expect(stat().size, maxSize);
      expect(sys.pread(fd, maxSize, 100), Buffer.from(pattern(100, maxSize - 100)));
    },
    { maxSize },
  ),

  check(
    'a write of several requests over the limit is counted as far as it fits',
    ({ sys, open, stat, expect }) => {
      const fd = open();
      expect(sys.pwrite(fd, pattern(0, 7 << 20), 0), 5 << 20);
      expect(stat().size, 5 << 20);
      expect(sys.pread(fd, 7 << 20, 0), Buffer.from(pattern(0, 5 << 20)));
    },
    { maxSize: 5 << 20 },
  ),

  check(
    'of a write with O_DIRECT over the limit what fits is written and counted',
    ({ sys, open, stat, expect }) => {
      const fd = open(O_RDWR | O_DIRECT);
      expect(sys.pwrite(fd, pattern(0, 2 << 20), 1), (1 << 20) - 1);
      expect(stat().size, 1 << 20);
      expect(sys.pwrite(fd, pattern(0, K), 1 << 20), 'ENOSPC');
    },
    { maxSize: 1 << 20 },
  ),

  check(
    'at the limit what is there can be overwritten',
    ({ sys, open, expect }) => {
      const fd = open();
      expect(sys.pwrite(fd, pattern(0, maxSize), 0), maxSize);
      expect(sys.pwrite(fd, 'new', K - 1), 3);
      expect(
        sys.pread(fd, 5, K - 2),
        `${pattern(K - 2, 1).toString('latin1')}new${pattern(K + 2, 1).toString('latin1')}`,
      );
      expect(sys.pwrite(fd, pattern(1, maxSize), 0), maxSize);
      expect(sys.pread(fd, maxSize, 0), Buffer.from(pattern(1, maxSize)));
    },
    { maxSize },
  ),

  check(
    'a write that is refused leaves data and size alone',
    ({ sys, open, stat, expect }) => {
      const fd = open();
      expect(sys.pwrite(fd, pattern(0, maxSize - 10), 0), maxSize - 10);
      expect(sys.pwrite(fd, 'x', 2 ** 33), 'ENOSPC');
      expect(stat().size, maxSize - 10);
      expect(sys.pread(fd, maxSize, 0), Buffer.from(pattern(0, maxSize - 10)));
      expect(sys.pwrite(fd, 'end of page', maxSize - 10), 10);
    },
    { maxSize },
  ),

  check(
    'a write that is refused leaves what a mapping has stored',
    ({ sys, open, mapped, expect }) => {
      const fd = open();
      expect(sys.pwrite(fd, pattern(K, maxSize), K), maxSize);
      const memory = mapped(sys.mmap(fd, K, K, PROT_READ | PROT_WRITE, MAP_SHARED));
      expect(sys.store(memory, 'stored'), 6);
      expect(sys.pwrite(fd, 'x'.repeat(2 * K), 0), 'ENOSPC');
      expect(sys.pread(fd, 6, K), 'stored');
    },
    { maxSize },
  ),

  check(
    'an append at the limit is short, then refused',
    ({ sys, open, stat, expect }) => {
      const fd = open(O_RDWR | O_APPEND);
      expect(sys.write(fd, pattern(0, maxSize - 10)), maxSize - 10);
      expect(sys.write(fd, 'x'.repeat(100)), 10);
      expect(sys.write(fd, 'x'), 'ENOSPC');
      expect(stat().size, maxSize);
    },
    { maxSize },
  ),

  check(
    'holes do not count',
    ({ sys, open, stat, expect }) => {
      const fd = open();
      expect(sys.ftruncate(fd, 2 ** 40), 0);
      expect(sys.pwrite(fd, pattern(0, 10 * K), 2 ** 39), 10 * K);
      expect(sys.pwrite(fd, pattern(0, 54 * K), 0), 54 * K);
      expect(stat().blocks, 512);
      expect(sys.pwrite(fd, 'x', 2 ** 38), 'ENOSPC');
      expect(stat().size, 2 ** 40);
    },
    { maxSize },
  ),

  check(
    'a write over a hole and data stops at the first page without room',
    ({ sys, open, expect }) => {
      const fd = open();
      expect(sys.pwrite(fd, pattern(0, 10 * K), 10 * K), 10 * K);
      expect(sys.pwrite(fd, pattern(0, 50 * K), 100 * K), 50 * K);
      expect(sys.pwrite(fd, Buffer.alloc(30 * K, 'n'), 0), 4 * K);
      expect(sys.pread(fd, 5 * K, 0), Buffer.concat([Buffer.alloc(4 * K, 'n'), Buffer.alloc(K)]));
      expect(sys.pread(fd, 10 * K, 10 * K), Buffer.from(pattern(0, 10 * K)));
    },
    { maxSize },
  ),

  check(
    'punching and cutting make room again',
    ({ sys, open, expect }) => {
      const fd = open();
      expect(sys.pwrite(fd, pattern(0, maxSize), 0), maxSize);
      expect(sys.pwrite(fd, 'x', maxSize), 'ENOSPC');
      expect(sys.fallocate(fd, 3, 5 * K, K), 0);
      expect(sys.pwrite(fd, 'x', maxSize), 1);
      expect(sys.pwrite(fd, 'x', maxSize + K), 'ENOSPC');
      expect(sys.ftruncate(fd, 60 * K), 0);
      expect(sys.pwrite(fd, Buffer.alloc(10 * K, 'n'), 60 * K), 5 * K);
    },
    { maxSize },
  ),

  check(
    'fallocate over the limit is ENOSPC, and takes nothing',
    ({ sys, open, stat, expect }) => {
      const fd = open();
      expect(sys.pwrite(fd, pattern(0, 10 * K), 20 * K), 10 * K);
      expect(sys.fallocate(fd, 0, 0, 65 * K), 'ENOSPC');
      expect(sys.fallocate(fd, 1, 0, 65 * K), 'ENOSPC');
      expect(stat().size, 30 * K);
      expect(stat().blocks, 80);
      expect(sys.fallocate(fd, 0, 0, 64 * K), 0);
      expect(stat().blocks, 512);
      expect(sys.pread(fd, 10 * K, 20 * K), Buffer.from(pattern(0, 10 * K)));
    },
    { maxSize },
  ),

  check(
    'what fallocate reserved can be written at the limit',
    ({ sys, open, stat, expect }) => {
      const fd = open();
      expect(sys.fallocate(fd, 1, 0, maxSize), 0);
      expect(stat().size, 0);
      expect(sys.pwrite(fd, pattern(0, maxSize), 0), maxSize);
      expect(sys.pwrite(fd, 'x', maxSize), 'ENOSPC');
      expect(sys.pread(fd, maxSize, 0), Buffer.from(pattern(0, maxSize)));
    },
    { maxSize },
  ),

  check(
    'reading a hole at the limit works',
    ({ sys, open, expect }) => {
      const fd = open();
      expect(sys.pwrite(fd, pattern(0, maxSize), 0), maxSize);
      expect(sys.ftruncate(fd, 2 * maxSize), 0);
      expect(sys.pread(fd, 2 * maxSize, maxSize), Buffer.alloc(maxSize));
    },
    { maxSize },
  ),

  check(
    'df tells the limit and what is left of it',
    ({ sys, open, dir, expect }) => {
      const fd = open();
      expect(sys.statfs(dir), { bsize: K, blocks: 64, bfree: 64, bavail: 64 });
      expect(sys.pwrite(fd, pattern(0, 10 * K), 2 ** 33), 10 * K);
      expect(sys.statfs(dir), { bsize: K, blocks: 64, bfree: 54, bavail: 54 });
      expect(sys.pwrite(fd, pattern(0, maxSize), 0), 54 * K);
      expect(sys.statfs(dir), { bsize: K, blocks: 64, bfree: 0, bavail: 0 });
      expect(sys.ftruncate(fd, 0), 0);
      expect(sys.statfs(dir), { bsize: K, blocks: 64, bfree: 64, bavail: 64 });
    },
    { maxSize },
  ),

  check(
    'a limit between two pages counts whole pages',
    ({ sys, open, dir, expect }) => {
      const fd = open();
      expect(sys.statfs(dir), { bsize: K, blocks: 4, bfree: 4, bavail: 4 });
      expect(sys.pwrite(fd, pattern(0, 5 * K), 0), 4 * K);
      expect(sys.pwrite(fd, 'x', 4 * K), 'ENOSPC');
    },
    { maxSize: 3 * K + 100 },
  ),

  check(
    'a limit of less than a page is one page',
    ({ sys, open, dir, expect }) => {
      const fd = open();
      expect(sys.statfs(dir), { bsize: K, blocks: 1, bfree: 1, bavail: 1 });
      expect(sys.pwrite(fd, pattern(0, 2 * K), 0), K);
      expect(sys.pwrite(fd, 'x', K), 'ENOSPC');
    },
    { maxSize: 1024 },
  ),
];
