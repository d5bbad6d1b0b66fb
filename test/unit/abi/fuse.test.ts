import { expect, test } from 'vitest';
import * as fuse from '../../../src/abi/fuse.ts';
import { UringCommand } from '../../../src/abi/uring.ts';
import * as errno from '../../../src/sys/errno.ts';
import { runC } from './run-c.ts';

const { Errno: _, ...errnos } = errno;

/** `flags2` of ours are bits 32 to 63 of the header's. */
const high: [name: string, bit: number][] = Object.entries(fuse.InitFlag2).map(([name, bit]) => [
  name,
  bit * 2 ** 32,
]);

/** Came after 7.38, the version of the header that Debian 12 has; as 7.45 has them. */
const newer: Readonly<Record<string, number>> = {
  FUSE_DIRECT_IO_ALLOW_MMAP: 2 ** 36,
  FUSE_PASSTHROUGH: 2 ** 37,
  FUSE_OVER_IO_URING: 2 ** 41,
  FUSE_IO_URING_CMD_REGISTER: 1,
  FUSE_IO_URING_CMD_COMMIT_AND_FETCH: 2,
  FOPEN_PASSTHROUGH: 1 << 7,
  FUSE_STATX: 52,
  FUSE_COPY_FILE_RANGE_64: 53,
};

/** Our tables, with what the header puts in front of their names. */
const tables: [prefix: string, table: Readonly<Record<string, number>>][] = [
  ['', errnos],
  ['FUSE_', fuse.Opcode],
  ['FUSE_', fuse.InitFlag],
  ['FUSE_', Object.fromEntries(high)],
  ['FOPEN_', fuse.FopenFlag],
  ['FATTR_', fuse.FattrFlag],
  ['FUSE_NOTIFY_', fuse.NotifyCode],
  ['FUSE_IO_URING_CMD_', UringCommand],
  ['FUSE_', { FSYNC_FDATASYNC: fuse.FUSE_FSYNC_FDATASYNC, ROOT_ID: fuse.FUSE_ROOT_ID }],
  ['FUSE_', { POLL_SCHEDULE_NOTIFY: fuse.FUSE_POLL_SCHEDULE_NOTIFY }],
];

const ours = tables.flatMap(([prefix, table]) =>
  Object.entries(table).map(([name, value]) => ({ name: prefix + name, value })),
);

test("our constants are the kernel's, as gcc sees them in linux/fuse.h and errno.h", () => {
  const known = ours.filter(({ name }) => !(name in newer));
  const printed = runC(known.map(({ name }) => `printf("%llu\\n", (unsigned long long)${name});`));
  expect(known).toEqual(known.map(({ name }, i) => ({ name, value: Number(printed[i]) })));
});

test('what that header has no name for is where a newer linux/fuse.h has it', () => {
  const found = ours.filter(({ name }) => name in newer).map(({ name, value }) => [name, value]);
  expect(Object.fromEntries(found)).toEqual(newer);
});
