import { constants } from 'node:fs';
import { pattern } from '../../support/bytes.ts';
import { check } from '../case.ts';

const { O_RDONLY } = constants;

const SAYS_53 = 'tmpfs has 64 bits for a size, a JavaScript number has 53';

export const truncateCases = [
  check('truncate cuts', ({ sys, open, file, stat, expect }) => {
    const fd = open();
    expect(sys.pwrite(fd, 'abcdef', 0), 6);
    expect(sys.truncate(file, 3), 0);
    expect(stat().size, 3);
    expect(sys.pread(fd, 10, 0), 'abc');
  }),

  check('ftruncate cuts', ({ sys, open, stat, expect }) => {
    const fd = open();
    expect(sys.pwrite(fd, 'abcdef', 0), 6);
    expect(sys.ftruncate(fd, 3), 0);
    expect(sys.fstat(fd), stat());
    expect(stat().size, 3);
  }),

  check('ftruncate makes longer, with zeros', ({ sys, open, stat, expect }) => {
    const fd = open();
    expect(sys.pwrite(fd, 'abc', 0), 3);
    expect(sys.ftruncate(fd, 6), 0);
    expect(sys.pread(fd, 10, 0), 'abc\0\0\0');
    expect(sys.ftruncate(fd, 1 << 30), 0);
    expect(stat().size, 1 << 30);
    expect(stat().blocks, 8);
    expect(sys.pread(fd, 5, (1 << 30) - 3), '\0\0\0');
  }),

  check('what was cut off does not come back', ({ sys, open, expect }) => {
    const fd = open();
    expect(sys.pwrite(fd, pattern(0, 10_000), 0), 10_000);
    for (const size of [9000, 5000, 4097, 4096, 4095, 1]) {
      expect(sys.ftruncate(fd, size), 0);
      expect(sys.ftruncate(fd, 10_000), 0);
      expect(sys.pread(fd, 10_001, 0), Buffer.concat([pattern(0, size), Buffer.alloc(10_000 - size)]));
    }
  }),

  check('cutting gives memory back', ({ sys, open, stat, expect }) => {
    const fd = open();
    expect(sys.pwrite(fd, pattern(0, 1 << 20), 0), 1 << 20);
    expect(stat().blocks, 2048);
    expect(sys.ftruncate(fd, 4097), 0);
    expect(stat().blocks, 16);
    expect(sys.ftruncate(fd, 0), 0);
    expect(stat().blocks, 0);
  }),

  check('truncate to the present size changes no bytes', ({ sys, open, stat, expect }) => {
    const fd = open();
    expect(sys.pwrite(fd, 'abc', 0), 3);
    expect(sys.ftruncate(fd, 3), 0);
    expect(stat().size, 3);
    expect(sys.pread(fd, 10, 0), 'abc');
  }),

  check('the position stays when the file gets shorter', ({ sys, open, expect }) => {
    const fd = open();
    expect(sys.write(fd, 'abcdef'), 6);
    expect(sys.ftruncate(fd, 2), 0);
    expect(sys.read(fd, 10), '');
    expect(sys.write(fd, 'X'), 1);
    expect(sys.pread(fd, 10, 0), 'ab\0\0\0\0X');
  }),

  check('negative sizes are EINVAL', ({ sys, open, file, expect }) => {
    expect(sys.truncate(file, -1), 'EINVAL');
    expect(sys.ftruncate(open(), -1), 'EINVAL');
  }),

  check('a descriptor without write access is EINVAL', ({ sys, open, expect }) => {
    expect(sys.ftruncate(open(O_RDONLY), 0), 'EINVAL');
  }),

  check('sizes up to 2^53 - 1 work', ({ sys, open, stat, expect }) => {
    const fd = open();
    expect(sys.ftruncate(fd, 2 ** 53 - 1), 0);
    expect(stat().size, 2 ** 53 - 1);
    expect(stat().blocks, 0);
    expect(sys.pread(fd, 3, 2 ** 53 - 4), '\0\0\0');
  }),

  check(
    'sizes past 2^53 - 1 are EFBIG',
    ({ sys, open, file, stat, expect }) => {
      expect(sys.truncate(file, 2n ** 53n), 'EFBIG');
      expect(sys.ftruncate(open(), 2n ** 62n), 'EFBIG');
      expect(stat().size, 0);
    },
    { tmpfs: { got: '0', why: SAYS_53 } },
  ),
];
