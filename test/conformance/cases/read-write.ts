import { constants } from 'node:fs';
import { alignedBuffer, pattern } from '../../support/bytes.ts';
import { SEEK_CUR } from '../../support/calls/index.ts';
import { check } from '../case.ts';

const { O_RDWR, O_DIRECT } = constants;
const MIB = 1 << 20;
const NUMBERS = 'tmpfs has 64 bits for an offset, a JavaScript number has 53';

export const readWriteCases = [
  check('a new file is empty', ({ sys, open, stat, expect }) => {
    expect(sys.read(open(), 10), '');
    expect(stat().size, 0);
  }),

  check('read and write go on where the last one ended', ({ sys, open, expect }) => {
    const fd = open();
    expect(sys.write(fd, 'abc'), 3);
    expect(sys.write(fd, 'def'), 3);
    expect(sys.lseek(fd, 1, 0), 1);
    expect(sys.read(fd, 2), 'bc');
    expect(sys.read(fd, 10), 'def');
    expect(sys.read(fd, 10), '');
    expect(sys.lseek(fd, 0, SEEK_CUR), 6);
  }),

  check('pread and pwrite leave the position alone', ({ sys, open, expect }) => {
    const fd = open();
    expect(sys.pwrite(fd, 'abcdef', 0), 6);
    expect(sys.pread(fd, 3, 2), 'cde');
    expect(sys.lseek(fd, 0, SEEK_CUR), 0);
  }),

  check('each descriptor has its own position', ({ sys, open, expect }) => {
    const [one, other] = [open(), open()];
    expect(sys.write(one, 'abc'), 3);
    expect(sys.read(other, 2), 'ab');
    expect(sys.write(other, 'X'), 1);
    expect(sys.pread(one, 10, 0), 'abX');
  }),

  check('what one process wrote another reads at once', async ({ sys, open, file, client, expect }) => {
    const other = await client();
    const theirs = Number(await other.open(file, O_RDWR));
    expect(sys.write(open(), 'abc'), 3);
    expect(await other.read(theirs, 10), 'abc');
    expect(await other.write(theirs, 'def'), 3);
    expect(sys.pread(open(), 10, 0), 'abcdef');
  }),

  check('readv fills its buffers in order', ({ sys, open, expect }) => {
    const fd = open();
    expect(sys.pwrite(fd, 'abcdefgh', 0), 8);
    expect(sys.readv(fd, [1, 0, 3, 10]), 'abcdefgh');
    expect(sys.readv(fd, [1]), '');
  }),

  check('writev empties its buffers in order', ({ sys, open, expect }) => {
    const fd = open();
    expect(sys.writev(fd, ['a', '', 'bcd', 'ef']), 6);
    expect(sys.pread(fd, 10, 0), 'abcdef');
    expect(sys.lseek(fd, 0, SEEK_CUR), 6);
  }),

  check('vectors of many pages arrive whole', ({ sys, open, expect }) => {
    const fd = open();
    const parts = Array.from({ length: 100 }, (_, i) => pattern(i * 5000, 5000));
    expect(sys.writev(fd, parts), 500_000);
    expect(sys.pread(fd, 500_001, 0), Buffer.from(pattern(0, 500_000)));
    expect(sys.lseek(fd, 0, 0), 0);
    expect(
      sys.readv(
        fd,
        Array.from({ length: 500 }, () => 1000),
      ),
      Buffer.from(pattern(0, 500_000)),
    );
  }),

  check('a read of no bytes answers none, wherever it is', ({ sys, open, expect }) => {
    const fd = open();
    expect(sys.write(fd, 'abc'), 3);
    expect(sys.pread(fd, 0, 0), '');
    expect(sys.pread(fd, 0, 100), '');
  }),

  check('a write of no bytes changes nothing', async ({ sys, open, stat, moved, expect }) => {
    const fd = open();
    expect(await moved(() => expect(sys.pwrite(fd, '', 100), 0)), '');
    expect(stat().size, 0);
  }),

  check('a read across the end is short', ({ sys, open, expect }) => {
    const fd = open();
    expect(sys.pwrite(fd, 'abcdef', 0), 6);
    expect(sys.pread(fd, 10, 4), 'ef');
    expect(sys.pread(fd, 1, 6), '');
    expect(sys.pread(fd, 1, 1000), '');
  }),

  check('a write past the end leaves zeros between', ({ sys, open, expect }) => {
    const fd = open();
    expect(sys.pwrite(fd, 'abc', 0), 3);
    expect(sys.pwrite(fd, 'def', 6), 3);
    expect(sys.pread(fd, 20, 0), 'abc\0\0\0def');
  }),

  check('overwriting keeps what is around', ({ sys, open, expect }) => {
    const fd = open();
    expect(sys.pwrite(fd, pattern(0, 20_000), 0), 20_000);
    expect(sys.pwrite(fd, 'X'.repeat(5000), 4000), 5000);
    const wanted = Buffer.from(pattern(0, 20_000));
    wanted.fill('X', 4000, 9000);
    expect(sys.pread(fd, 30_000, 0), wanted);
  }),

  check('every byte around a page edge stands where it was put', ({ sys, open, expect }) => {
    const fd = open();
    const wanted = Buffer.alloc(8200);
    for (let at = 4090; at < 4102; at++) {
      const letter = Buffer.of(at % 251);
      expect(sys.pwrite(fd, letter, at), 1);
      letter.copy(wanted, at);
    }
    for (const [at, length] of [
      [4094, 4],
      [8190, 10],
    ] as const) {
      expect(sys.pwrite(fd, pattern(at, length), at), length);
      pattern(at, length).copy(wanted, at);
    }
    expect(sys.pread(fd, 9000, 0), wanted);
  }),

  check('requests of every size arrive whole', ({ sys, open, expect }) => {
    const fd = open();
    for (const length of [1, 511, 4095, 4096, 4097, 131_071, 131_073, MIB - 1, MIB, MIB + 1, 5 * MIB + 3]) {
      const bytes = Buffer.from(pattern(length, length));
      expect(sys.ftruncate(fd, 0), 0);
      expect(sys.pwrite(fd, bytes, 3), length);
      expect(sys.pread(fd, length + 10, 3), bytes);
    }
  }),

  check('aligned O_DIRECT requests of 1 MiB arrive whole', ({ sys, open, expect }) => {
    const fd = open(O_RDWR | O_DIRECT);
    const bytes = alignedBuffer(MIB);
    pattern(7, MIB).copy(bytes);
    expect(sys.pwrite(fd, bytes, 0), MIB);
    const back = alignedBuffer(MIB);
    expect(sys.preadInto(fd, back, 0), MIB);
    expect(back, Buffer.from(bytes));
  }),

  check('offsets below zero are EINVAL', ({ sys, open, expect }) => {
    const fd = open();
    expect(sys.pread(fd, 1, -1), 'EINVAL');
    expect(sys.pwrite(fd, 'x', -1), 'EINVAL');
  }),

  check('offsets of 4 GiB and more work', ({ sys, open, stat, expect }) => {
    const fd = open();
    for (const [i, at] of [2 ** 31 - 2, 2 ** 32 - 2, 2 ** 32 + 10, 2 ** 33 + 5, 2 ** 40].entries()) {
      const bytes = `edge${i}`;
      expect(sys.pwrite(fd, bytes, at), 5);
      expect(sys.pread(fd, 5, at), bytes);
      expect(stat().size, at + 5);
    }
    expect(sys.pread(fd, 10, 2 ** 32 - 4), '\0\0edge1\0\0\0');
    expect(sys.pread(fd, 10, 2 ** 31 - 4), '\0\0edge0\0\0\0');
  }),

  check('offsets up to 2^53 - 1 work', ({ sys, open, stat, expect }) => {
    const fd = open();
    expect(sys.pwrite(fd, 'x', 2 ** 53 - 2), 1);
    expect(sys.pread(fd, 1, 2 ** 53 - 2), 'x');
    expect(stat().size, 2 ** 53 - 1);
    expect(stat().blocks, 8);
  }),

  check(
    'a write past 2^53 - 1 is EFBIG',
    ({ sys, open, stat, expect }) => {
      const fd = open();
      expect(sys.pwrite(fd, 'x', 2n ** 53n), 'EFBIG');
      expect(sys.pwrite(fd, 'xy', 2n ** 53n - 2n), 'EFBIG');
      expect(sys.pwrite(fd, 'x', 2n ** 62n), 'EFBIG');
      expect(stat().size, 0);
    },
    { tmpfs: { got: '1', why: NUMBERS } },
  ),

  check(
    'a read past 2^53 - 1 is EFBIG',
    ({ sys, open, expect }) => {
      expect(sys.pread(open(), 1, 2n ** 53n), 'EFBIG');
    },
    { tmpfs: { got: '""', why: NUMBERS } },
  ),

  check('a read that would pass 2^53 - 1 is short, as at any end', ({ sys, open, expect }) => {
    const fd = open();
    expect(sys.ftruncate(fd, 2 ** 53 - 1), 0);
    expect(sys.pread(fd, 5, 2 ** 53 - 4), '\0\0\0');
  }),

  check('a write that would pass 2^63 - 1 is refused by the kernel', ({ sys, open, expect }) => {
    expect(sys.pwrite(open(), 'xy', 2n ** 63n - 2n), 'EINVAL');
    expect(sys.pread(open(), 2, 2n ** 63n - 2n), 'EINVAL');
  }),
];
