import { ftruncateSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Tmpfs } from '../support/tmpfs.ts';
import { compareContent } from './content.ts';
import { kinds } from './kinds.ts';
import { Pair } from './pair.ts';
import { reportOf } from './report.ts';
import { soak } from './soak.ts';

const MIB = 2 ** 20;

/** Two files on tmpfs with the same bytes, and a descriptor of the first. */
function twoFiles(tmpfs: Tmpfs) {
  const [ours, mirror] = [join(tmpfs.dir, 'ours'), join(tmpfs.dir, 'mirror')];
  for (const file of [ours, mirror]) writeFileSync(file, Buffer.alloc(MIB, 'x'));
  return { files: { ours, mirror }, fd: openSync(ours, 'r+') };
}

test('a call that answers otherwise than on the mirror is a failure, which says where', () => {
  using tmpfs = new Tmpfs(8 * MIB);
  const { files, fd } = twoFiles(tmpfs);
  using pair = new Pair(files);
  expect(pair.play({ call: 'pread', slot: 0, length: 10, at: 100 })).toHaveLength(10);
  writeSync(fd, 'y', 105);
  expect(() => pair.play({ call: 'pread', slot: 0, length: 10, at: 100 })).toThrow(
    /"xxxxxyxxxx".* byte 5 on/,
  );
});

test('one wrong byte of the content is a failure, and so is another size or a block too many', () => {
  using tmpfs = new Tmpfs(8 * MIB);
  const { files, fd } = twoFiles(tmpfs);
  expect(compareContent(files)).toBe(MIB);
  writeSync(fd, 'y', MIB - 1);
  expect(() => compareContent(files)).toThrow(`from byte ${MIB - 1} on`);
  ftruncateSync(fd, MIB - 1);
  expect(() => compareContent(files)).toThrow(/has 1048575 bytes/);
  ftruncateSync(fd, 0);
  ftruncateSync(fd, MIB);
  expect(() => compareContent(files)).toThrow(/in 0 blocks, and on tmpfs 1048576 in 2048/);
});

test('a cycle of npm run soak, in short', { timeout: 60_000 }, async () => {
  // Mounting takes the most of it: one kind of either transport.
  const two = kinds.filter(({ name }) => name === 'direct' || name === 'libfuse');
  const plan = { kinds: two, minutes: 0, staying: 0.5, verifying: 0.2, going: 0.3, sampling: 0.2 };
  const journal = await soak(plan, new AbortController().signal);
  const { text, passed } = reportOf(journal);
  expect(journal.failure).toBeUndefined();
  expect(passed).toBe(true);
  expect(journal.cycles).toBe(1);
  expect([...journal.remounts.values()]).toEqual([1, 1]);
  expect(journal.comparisons).toBe(4 * two.length);
  expect(journal.verified.read).toBeGreaterThan(MIB);
  for (const { name } of two) expect(text).toMatch(new RegExp(`^\\| ${name} \\| descriptors \\| \\d`, 'm'));
});
