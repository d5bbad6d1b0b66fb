import { pattern } from '../../support/bytes.ts';
import { SEEK_DATA, SEEK_HOLE } from '../../support/calls/index.ts';
import { check } from '../case.ts';

const GIB = 2 ** 30;

export const sparseCases = [
  check('a file of 16 GiB with data at both ends takes two pages', ({ sys, open, stat, expect }) => {
    const fd = open();
    expect(sys.pwrite(fd, 'start', 0), 5);
    expect(sys.pwrite(fd, 'end', 16 * GIB - 3), 3);
    expect(stat().size, 16 * GIB);
    expect(stat().blocks, 16);
    expect(sys.pread(fd, 10, 16 * GIB - 5), '\0\0end');
    expect(sys.pread(fd, 10, 0), 'start\0\0\0\0\0');
    expect(sys.lseek(fd, 4096, SEEK_DATA), 16 * GIB - 4096);
    expect(sys.lseek(fd, 0, SEEK_HOLE), 4096);
  }),

  check('reading a hole gives zeros and takes no memory', ({ sys, open, stat, expect }) => {
    const fd = open();
    expect(sys.ftruncate(fd, 8 * GIB), 0);
    for (const at of [0, 5 * GIB + 7, 8 * GIB - (1 << 20)]) {
      expect(sys.pread(fd, 1 << 20, at), Buffer.alloc(1 << 20));
    }
    expect(stat().blocks, 0);
  }),

  check('a hole between data reads as zeros', ({ sys, open, stat, expect }) => {
    const fd = open();
    expect(sys.pwrite(fd, pattern(0, 5000), 0), 5000);
    expect(sys.pwrite(fd, pattern(100_000, 5000), 100_000), 5000);
    expect(stat().blocks, 8 * (2 + 2));
    expect(
      sys.pread(fd, 200_000, 0),
      Buffer.concat([pattern(0, 5000), Buffer.alloc(95_000), pattern(100_000, 5000)]),
    );
  }),

  check('data around 4 GiB stands where it was put', ({ sys, open, expect }) => {
    const fd = open();
    const at = 4 * GIB - 300_000;
    expect(sys.pwrite(fd, pattern(at, 600_000), at), 600_000);
    expect(sys.pread(fd, 600_000, at), Buffer.from(pattern(at, 600_000)));
    expect(sys.pwrite(fd, 'X'.repeat(200_000), 4 * GIB - 100_000), 200_000);
    expect(sys.pread(fd, 100_000, 4 * GIB), Buffer.alloc(100_000, 'X'));
    expect(sys.pread(fd, 100_000, at), Buffer.from(pattern(at, 100_000)));
  }),
];
