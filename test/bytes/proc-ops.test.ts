import fc from 'fast-check';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { NOBODY } from '../../src/proc-fs/caller.ts';
import type { AttrChange, ProcFile } from '../../src/proc-fs/handler.ts';
import { ProcOps, type Raw } from '../../src/proc-fs/proc-ops.ts';
import { UserSliceReader, UserSliceWriter } from '../../src/proc-fs/user-slice.ts';
import { RamBuffer } from '../../src/ram-file/ram-buffer.ts';
import { RamFile } from '../../src/ram-file/ram-file.ts';
import { probe } from './probe.ts';
import { MAX_SIZE } from './world.ts';

/** The last number that the kernel takes as an error (fuse_dev_do_write). */
const LAST_ERRNO = 511;

/** What no C program could pass, and what one could; with some of each near where something ends. */
const hostile: fc.Arbitrary<number> = fc.oneof(
  fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0, 0.5, -0.5, 1e300),
  fc.constantFrom(2 ** 31, 2 ** 32, 2 ** 53 - 1, 2 ** 53, -(2 ** 53), 2 ** 63, 2 ** 64, MAX_SIZE, -1),
  fc.double(),
  fc.integer(),
  fc.nat({ max: 2 * MAX_SIZE }),
);

const time = fc.record({ sec: hostile, nsec: fc.oneof(hostile, fc.nat({ max: 999_999_999 })) });

const change: fc.Arbitrary<AttrChange> = fc.record(
  { mode: hostile, uid: hostile, gid: hostile, atime: time, mtime: time },
  { requiredKeys: [] },
);

type Entry = (ops: ProcOps, file: ProcFile, numbers: [number, number, number]) => Raw;

const to = () => new UserSliceWriter().place(new Uint8Array(100), 10, 80);
const from = () => new UserSliceReader().place(new Uint8Array(100), 10, 80);

const entries: Record<string, Entry> = {
  procRead: (ops, file, [offset]) => ops.procRead(file, to(), offset, NOBODY),
  procWrite: (ops, file, [offset]) => ops.procWrite(file, from(), offset, NOBODY),
  procLseek: (ops, file, [offset, whence]) => ops.procLseek(file, offset, whence, NOBODY),
  'procLseek, to data': (ops, file, [offset]) => ops.procLseek(file, offset, 3, NOBODY),
  procIoctl: (ops, file, [command]) => ops.procIoctl(file, command, from(), to(), NOBODY),
  procTruncate: (ops, _file, [size]) => ops.procTruncate(size, NOBODY),
  procFallocate: (ops, file, [mode, offset, length]) => ops.procFallocate(file, mode, offset, length, NOBODY),
  'procFallocate, to punch': (ops, file, [, offset, length]) =>
    ops.procFallocate(file, 3, offset, length, NOBODY),
  procCopyFileRange: (ops, _file, [off, to, length]) => ops.procCopyFileRange(off, to, length, NOBODY),
};

beforeEach(() => {
  vi.spyOn(console, 'error').mockImplementation(() => {});
});
afterEach(() => {
  vi.restoreAllMocks();
});

/** An answer as C gives it, and nobody was surprised: no exception but an Errno was thrown on the way. */
function expectRaw(answer: Raw): void {
  expect(console.error).not.toHaveBeenCalled();
  expect(Number.isSafeInteger(answer)).toBe(true);
  expect(answer).toBeGreaterThanOrEqual(-LAST_ERRNO);
}

/** A file that can be full. */
function ramFile(): RamFile & Disposable {
  const file = RamFile.create(RamBuffer.create({ name: 'hostile', maxSize: MAX_SIZE }), 0o666, 0, 0);
  return Object.assign(file, { [Symbol.dispose]: () => void file.teardown() });
}

test.each(Object.entries(entries))('%s answers hostile numbers like any', (_, call) => {
  using ram = ramFile();
  const file: ProcFile = { flags: 0, uid: 0, pos: 0, privateData: undefined };
  // The probe fails when a number reaches it that it was promised not to get.
  for (const ops of [new ProcOps(ram), new ProcOps(probe)]) {
    fc.assert(
      fc.property(fc.tuple(hostile, hostile, hostile), (numbers) => expectRaw(call(ops, file, numbers))),
      { numRuns: 1000 },
    );
  }
});

test('procSetattr refuses what is no mode, owner or time', () => {
  using ram = ramFile();
  const ops = new ProcOps(ram);
  fc.assert(
    fc.property(change, (hostileChange) => {
      expectRaw(ops.procSetattr(hostileChange, NOBODY));
      const attr = ops.procGetattr(NOBODY);
      if (typeof attr === 'number' || attr instanceof Promise)
        throw new Error(`The attributes can't be read any more: ${attr}.`);
      const { mode, uid, gid, atime, mtime } = attr;
      for (const number of [mode, uid, gid, atime.nsec, mtime.nsec]) expect(number).toBeLessThan(2 ** 32);
      for (const { nsec } of [atime, mtime]) expect(nsec).toBeLessThan(1e9);
    }),
    { numRuns: 1000 },
  );
});
