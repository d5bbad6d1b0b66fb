import { constants } from 'node:fs';
import { pattern } from '../../support/bytes.ts';
import { SEEK_CUR } from '../../support/calls/index.ts';
import { makeDir } from '../../support/run.ts';
import { check } from '../case.ts';

const { O_RDONLY, O_RDWR, O_WRONLY, O_APPEND, O_CREAT } = constants;

export const copyRangeCases = [
  check('copies within the file', ({ sys, open, expect }) => {
    const fd = open();
    expect(sys.pwrite(fd, pattern(0, 20_000), 0), 20_000);
    expect(sys.copyFileRange(fd, 1000, fd, 30_000, 5000), 5000);
    expect(sys.pread(fd, 10_000, 30_000), Buffer.from(pattern(1000, 5000)));
    expect(sys.pread(fd, 20_000, 0), Buffer.from(pattern(0, 20_000)));
  }),

  check('copies from one descriptor of the file to another', ({ sys, open, expect }) => {
    const [from, to] = [open(O_RDONLY), open(O_WRONLY)];
    expect(sys.pwrite(to, 'abcdef', 0), 6);
    expect(sys.copyFileRange(from, 0, to, 6, 6), 6);
    expect(sys.pread(from, 20, 0), 'abcdefabcdef');
  }),

  check('an offset of null is the position, which moves', ({ sys, open, expect }) => {
    const [from, to] = [open(), open()];
    expect(sys.pwrite(from, 'abcdef', 0), 6);
    expect(sys.lseek(from, 2, 0), 2);
    expect(sys.lseek(to, 10, 0), 10);
    expect(sys.copyFileRange(from, null, to, null, 3), 3);
    expect(sys.lseek(from, 0, SEEK_CUR), 5);
    expect(sys.lseek(to, 0, SEEK_CUR), 13);
    expect(sys.pread(from, 20, 0), 'abcdef\0\0\0\0cde');
  }),

  check('is short at the end, and nothing past it', ({ sys, open, expect }) => {
    const fd = open();
    expect(sys.pwrite(fd, 'abcdef', 0), 6);
    expect(sys.copyFileRange(fd, 4, fd, 100, 10), 2);
    expect(sys.pread(fd, 10, 100), 'ef');
    expect(sys.copyFileRange(fd, 200, fd, 300, 10), 0);
  }),

  check('copies nothing when asked for nothing', ({ sys, open, stat, expect }) => {
    const fd = open();
    expect(sys.pwrite(fd, 'abcdef', 0), 6);
    expect(sys.copyFileRange(fd, 0, fd, 100, 0), 0);
    expect(stat().size, 6);
  }),

  check('ranges that overlap are EINVAL', ({ sys, open, expect }) => {
    const fd = open();
    expect(sys.pwrite(fd, pattern(0, 1000), 0), 1000);
    expect(sys.copyFileRange(fd, 0, fd, 500, 600), 'EINVAL');
    expect(sys.copyFileRange(fd, 0, fd, 0, 10), 'EINVAL');
  }),

  check('wrong access modes are EBADF', ({ sys, open, expect }) => {
    const fd = open();
    expect(sys.pwrite(fd, 'abcdef', 0), 6);
    expect(sys.copyFileRange(open(O_WRONLY), 0, fd, 10, 3), 'EBADF');
    expect(sys.copyFileRange(fd, 0, open(O_RDONLY), 10, 3), 'EBADF');
    expect(sys.copyFileRange(fd, 0, open(O_RDWR | O_APPEND), 10, 3), 'EBADF');
  }),

  check('a long copy arrives whole, in as many calls as it takes', ({ sys, open, expect }) => {
    const fd = open();
    const length = 3_500_001;
    expect(sys.pwrite(fd, pattern(0, length), 0), length);
    let done = 0;
    while (done < length) {
      const count = sys.copyFileRange(fd, done, fd, length + done, length - done);
      expect(typeof count === 'number' && count > 0, true);
      done += Number(count);
    }
    expect(sys.pread(fd, length + 1, length), Buffer.from(pattern(0, length)));
  }),

  check('copies into the file and out of it', ({ sys, open, expect }) => {
    const outside = Number(sys.open(`${makeDir('outside')}/file`, O_RDWR | O_CREAT));
    expect(sys.pwrite(outside, pattern(0, 100_000), 0), 100_000);
    const fd = open();
    // Between file systems the kernel may refuse: cp(1) then reads and writes.
    const into = sys.copyFileRange(outside, 0, fd, 0, 100_000);
    if (into === 'EXDEV') expect(sys.pwrite(fd, pattern(0, 100_000), 0), 100_000);
    else expect(into, 100_000);
    expect(sys.pread(fd, 100_001, 0), Buffer.from(pattern(0, 100_000)));
    const out = sys.copyFileRange(fd, 10, outside, 200_000, 1000);
    expect(out === 1000 || out === 'EXDEV', true);
  }),
];
