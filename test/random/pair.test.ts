import { ftruncateSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Calls, calls } from '../support/calls/index.ts';
import { Tmpfs, tmpfsCalls } from '../support/tmpfs.ts';
import { tracked } from '../support/tracked.ts';
import { compareContent, type Difference } from './content.ts';
import { Pair } from './pair.ts';
import { Player } from './player.ts';
import { sequence } from './sequence.ts';

const MIB = 2 ** 20;

/** Two files on tmpfs with the same bytes, and a descriptor of the first. */
function twoFiles(tmpfs: Tmpfs, bytes = Buffer.alloc(MIB, 'x')) {
  const [ours, mirror] = [join(tmpfs.dir, 'ours'), join(tmpfs.dir, 'mirror')];
  for (const file of [ours, mirror]) writeFileSync(file, bytes);
  return { files: { ours, mirror }, fd: openSync(ours, 'r+') };
}

test('a call that answers otherwise than on the mirror is a difference, which says where', () => {
  using tmpfs = new Tmpfs(8 * MIB);
  const { files, fd } = twoFiles(tmpfs);
  using pair = new Pair(files);
  pair.play({ call: 'open', slot: 0, mode: 'O_RDWR' });
  expect(pair.play({ call: 'pread', slot: 0, length: 10, at: 100 })).toHaveLength(10);
  writeSync(fd, 'y', 105);
  expect(() => pair.play({ call: 'pread', slot: 0, length: 10, at: 100 })).toThrow(
    /"xxxxxyxxxx".* byte 5 on/,
  );
});

test('one wrong byte of the content is a difference, and so is another size or a block too many', () => {
  using tmpfs = new Tmpfs(8 * MIB);
  const { files, fd } = twoFiles(tmpfs);
  expect(compareContent(files, true)).toBe(MIB);
  writeSync(fd, 'y', MIB - 1);
  expect(() => compareContent(files, true)).toThrow(`from byte ${MIB - 1} on`);
  ftruncateSync(fd, MIB - 1);
  expect(() => compareContent(files, true)).toThrow(/has 1048575 bytes/);
  ftruncateSync(fd, 0);
  ftruncateSync(fd, MIB);
  expect(() => compareContent(files, true)).toThrow(/in 0 blocks, and on tmpfs 1048576 in 2048/);
});

test('a hole elsewhere is a difference, where the file tells', () => {
  using tmpfs = new Tmpfs(8 * MIB);
  const { files, fd } = twoFiles(tmpfs, Buffer.alloc(0));
  const mirror = openSync(files.mirror, 'r+');
  for (const [at, file] of [[0, fd] as const, [4096, mirror] as const]) {
    ftruncateSync(file, MIB);
    writeSync(file, Buffer.alloc(4096), 0, 4096, at);
  }
  expect(() => compareContent(files, true)).toThrow(
    'has data at [ [ 0, 4096 ] ], and on tmpfs at [ [ 4096, 8192 ] ]',
  );
  expect(compareContent(files, false)).toBeGreaterThan(4096);
});

/** What fast-check finds of a file whose reads start a byte too late, from 1000 bytes on. */
function hunt(seed: number): Difference {
  using tmpfs = new Tmpfs(64 * MIB);
  const { files } = twoFiles(tmpfs);
  const late: Calls = {
    ...tmpfsCalls,
    pread: (fd, length, at) => calls.pread(fd, length, Number(at) < 1000 ? at : Number(at) + 1),
  };
  const property = fc.property(sequence, (steps) => {
    for (const file of Object.values(files)) calls.truncate(file, 0);
    using pair = new Pair(files, new Player(files.ours, tracked(late)));
    for (const step of steps) pair.play(step);
  });
  return fc.check(property, { seed, numRuns: 1000 }).errorInstance as Difference;
}

test('a fault in one kind of call is found, shrunk to the calls that it takes, and the same for a seed', () => {
  const { steps, message } = hunt(1);
  expect(steps.length).toBeLessThan(6);
  expect(steps.at(-1)?.call).toBe('pread');
  expect(message).toContain(`pread ${JSON.stringify({ ...steps.at(-1), call: undefined })} = `);
  expect(hunt(1)).toMatchObject({ steps, message });
});
