import { SEEK_CUR, SEEK_DATA, SEEK_END, SEEK_HOLE, SEEK_SET } from '../../support/calls/index.ts';
import { check } from '../case.ts';

/** A page. */
const K = 4096;

export const lseekCases = [
  check('SEEK_SET goes to the offset, also past the end', ({ sys, open, stat, expect }) => {
    const fd = open();
    expect(sys.lseek(fd, 5, SEEK_SET), 5);
    expect(sys.lseek(fd, 2 ** 40, SEEK_SET), 2 ** 40);
    expect(stat().size, 0);
  }),

  check('SEEK_CUR counts from the position', ({ sys, open, expect }) => {
    const fd = open();
    expect(sys.lseek(fd, 5, SEEK_SET), 5);
    expect(sys.lseek(fd, 3, SEEK_CUR), 8);
    expect(sys.lseek(fd, -8, SEEK_CUR), 0);
  }),

  check('SEEK_END counts from the end', ({ sys, open, expect }) => {
    const fd = open();
    expect(sys.pwrite(fd, 'abcdef', 0), 6);
    expect(sys.lseek(fd, 0, SEEK_END), 6);
    expect(sys.lseek(fd, -2, SEEK_END), 4);
    expect(sys.read(fd, 10), 'ef');
    expect(sys.lseek(fd, 10, SEEK_END), 16);
  }),

  check('SEEK_END knows the end that another process made', async ({ sys, open, file, client, expect }) => {
    const fd = open();
    expect(sys.lseek(fd, 0, SEEK_END), 0);
    const other = await client();
    expect(await other.truncate(file, 12345), 0);
    expect(sys.lseek(fd, 0, SEEK_END), 12345);
  }),

  check('before the start is EINVAL, and the position stays', ({ sys, open, expect }) => {
    const fd = open();
    expect(sys.lseek(fd, 5, SEEK_SET), 5);
    expect(sys.lseek(fd, -1, SEEK_SET), 'EINVAL');
    expect(sys.lseek(fd, -6, SEEK_CUR), 'EINVAL');
    expect(sys.lseek(fd, -1, SEEK_END), 'EINVAL');
    expect(sys.lseek(fd, 0, SEEK_CUR), 5);
  }),

  check('any other whence is EINVAL', ({ sys, open, expect }) => {
    for (const whence of [5, 6, 100, -1]) expect(sys.lseek(open(), 0, whence), 'EINVAL');
  }),

  check('beyond 2^63 - 1 is EINVAL or EOVERFLOW', ({ sys, open, expect }) => {
    const fd = open();
    expect(sys.lseek(fd, 2n ** 63n - 1n, SEEK_SET), 2n ** 63n - 1n);
    expect(sys.lseek(fd, 1, SEEK_CUR), 'EINVAL');
  }),

  check('SEEK_DATA and SEEK_HOLE of an empty file are ENXIO', ({ sys, open, expect }) => {
    expect(sys.lseek(open(), 0, SEEK_DATA), 'ENXIO');
    expect(sys.lseek(open(), 0, SEEK_HOLE), 'ENXIO');
  }),

  check('a file without holes has one at its end', ({ sys, open, expect }) => {
    const fd = open();
    expect(sys.pwrite(fd, 'abc', 0), 3);
    expect(sys.lseek(fd, 0, SEEK_DATA), 0);
    expect(sys.lseek(fd, 2, SEEK_DATA), 2);
    expect(sys.lseek(fd, 0, SEEK_HOLE), 3);
    expect(sys.lseek(fd, 2, SEEK_HOLE), 3);
  }),

  check('at the end and past it SEEK_DATA and SEEK_HOLE are ENXIO', ({ sys, open, expect }) => {
    const fd = open();
    expect(sys.pwrite(fd, 'abc', 0), 3);
    for (const at of [3, 4, 2 ** 40]) {
      expect(sys.lseek(fd, at, SEEK_DATA), 'ENXIO');
      expect(sys.lseek(fd, at, SEEK_HOLE), 'ENXIO');
    }
  }),

  check('below zero SEEK_DATA and SEEK_HOLE are ENXIO', ({ sys, open, expect }) => {
    const fd = open();
    expect(sys.pwrite(fd, 'abc', 0), 3);
    for (const at of [-1, -(2n ** 53n) + 1n, -(2n ** 53n), -(2n ** 53n) - 1n, -(2n ** 63n)]) {
      expect(sys.lseek(fd, at, SEEK_DATA), 'ENXIO');
      expect(sys.lseek(fd, at, SEEK_HOLE), 'ENXIO');
    }
  }),

  check('SEEK_DATA and SEEK_HOLE find the real ends of holes', ({ sys, open, expect }) => {
    const fd = open();
    expect(sys.pwrite(fd, 'x', 2 * K + 5), 1);
    expect(sys.pwrite(fd, 'y', 5 * K), 1);
    expect(sys.ftruncate(fd, 8 * K), 0);
    for (const [from, data, hole] of [
      [0, 2 * K, 0],
      [K + 7, 2 * K, K + 7],
      [2 * K, 2 * K, 3 * K],
      [2 * K + 9, 2 * K + 9, 3 * K],
      [3 * K, 5 * K, 3 * K],
      [5 * K + 1, 5 * K + 1, 6 * K],
    ] as const) {
      expect(sys.lseek(fd, from, SEEK_DATA), data);
      expect(sys.lseek(fd, from, SEEK_HOLE), hole);
    }
    expect(sys.lseek(fd, 6 * K, SEEK_DATA), 'ENXIO');
    expect(sys.lseek(fd, 6 * K, SEEK_HOLE), 6 * K);
  }),

  check('SEEK_DATA and SEEK_HOLE move the position', ({ sys, open, expect }) => {
    const fd = open();
    expect(sys.pwrite(fd, 'x', K), 1);
    expect(sys.lseek(fd, 0, SEEK_DATA), K);
    expect(sys.read(fd, 10), 'x');
    expect(sys.lseek(fd, 0, SEEK_HOLE), 0);
    expect(sys.lseek(fd, 0, SEEK_CUR), 0);
  }),

  check('a punched hole is found, a written one is gone', ({ sys, open, expect }) => {
    const fd = open();
    expect(sys.pwrite(fd, Buffer.alloc(4 * K, 'x'), 0), 4 * K);
    expect(sys.fallocate(fd, 3, K, K), 0);
    expect(sys.lseek(fd, 0, SEEK_HOLE), K);
    expect(sys.lseek(fd, K, SEEK_DATA), 2 * K);
    expect(sys.pwrite(fd, '\0', K), 1);
    expect(sys.lseek(fd, 0, SEEK_HOLE), 4 * K);
  }),

  check(
    'SEEK_DATA past 2^53 - 1 is EFBIG',
    ({ sys, open, expect }) => {
      expect(sys.lseek(open(), 2n ** 60n, SEEK_DATA), 'EFBIG');
    },
    { tmpfs: { got: 'ENXIO', why: 'tmpfs has 64 bits for an offset, a JavaScript number has 53' } },
  ),
];
