import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, type MockInstance, test, vi } from 'vitest';
import { NOBODY } from '../../../src/proc-fs/caller.ts';
import type { ProcFile, ProcHandler } from '../../../src/proc-fs/handler.ts';
import { ProcOps } from '../../../src/proc-fs/proc-ops.ts';
import { UserSliceReader, UserSliceWriter } from '../../../src/proc-fs/user-slice.ts';
import { Whence } from '../../../src/proc-fs/whence.ts';
import {
  EBUSY,
  EFAULT,
  EFBIG,
  EINVAL,
  EIO,
  ENOENT,
  ENOTTY,
  ENXIO,
  EOPNOTSUPP,
  Errno,
  ESPIPE,
} from '../../../src/sys/errno.ts';

const MAX = Number.MAX_SAFE_INTEGER;

function openFile(): ProcFile {
  return { flags: 0, uid: 0, pos: 0, privateData: undefined };
}

const to = (length = 8) => new UserSliceWriter().place(new Uint8Array(length), 0, length);
const from = (length = 8) => new UserSliceReader().place(new Uint8Array(length), 0, length);

/** Every entry, called with arguments that are all right. */
const entries: Record<string, (ops: ProcOps, file: ProcFile | undefined) => unknown> = {
  procRelease: (ops, file) => ops.procRelease(file, NOBODY),
  procRead: (ops, file) => ops.procRead(file, to(), 0, NOBODY),
  procWrite: (ops, file) => ops.procWrite(file, from(), 0, NOBODY),
  procLseek: (ops, file) => ops.procLseek(file, 0, 0, NOBODY),
  procPoll: (ops, file) => ops.procPoll(file, () => {}, NOBODY),
  procIoctl: (ops, file) => ops.procIoctl(file, 1, from(), to(), NOBODY),
  procFallocate: (ops, file) => ops.procFallocate(file, 0, 0, 8, NOBODY),
  procFsync: (ops, file) => ops.procFsync(file, false, NOBODY),
};

/** Those that need no open file. */
const fileless: Record<string, (ops: ProcOps) => unknown> = {
  procOpen: (ops) => ops.procOpen(openFile(), NOBODY),
  procTruncate: (ops) => ops.procTruncate(8, NOBODY),
  procCopyFileRange: (ops) => ops.procCopyFileRange(0, 8, 8, NOBODY),
};

/** A handler with all members, each of which does the same. */
function handlerThat(act: () => never): ProcHandler {
  const members = ['open', 'release', 'read', 'write', 'lseek', 'poll', 'ioctl', 'truncate', 'fallocate'];
  return Object.fromEntries(
    [...members, 'fsync', 'copyFileRange', 'getattr', 'setattr'].map((member) => [member, act]),
  );
}

let log: MockInstance<typeof console.error>;
beforeEach(() => {
  log = vi.spyOn(console, 'error').mockImplementation(() => {});
});
afterEach(() => {
  vi.restoreAllMocks();
});

describe('the checks of an entry', () => {
  const untouched = new ProcOps(
    handlerThat(() => {
      throw new Error('the handler must not be called');
    }),
  );

  test.each(Object.entries(entries))('%s without a file is EINVAL', (_, call) => {
    expect(call(untouched, undefined)).toBe(-EINVAL);
  });

  test('the file comes first: EINVAL, whatever else is wrong', () => {
    expect(untouched.procRead(undefined, to(), MAX, NOBODY)).toBe(-EINVAL);
    expect(untouched.procWrite(undefined, from(), 2 ** 63, NOBODY)).toBe(-EINVAL);
    expect(untouched.procFallocate(undefined, 0, MAX, MAX, NOBODY)).toBe(-EINVAL);
    expect(new ProcOps({}).procLseek(undefined, 0, 9, NOBODY)).toBe(-EINVAL);
    expect(new ProcOps({}).procIoctl(undefined, 0, from(), to(), NOBODY)).toBe(-EINVAL);
  });

  test('whence comes before the offset, and a file that is not seekable before whence', () => {
    expect(untouched.procLseek(openFile(), 2 ** 60, 5, NOBODY)).toBe(-EINVAL);
    expect(untouched.procLseek(openFile(), 2 ** 60, 0, NOBODY)).toBe(-EFBIG);
    expect(untouched.procLseek(openFile(), -(2 ** 60), 2, NOBODY)).toBe(-EINVAL);
    expect(new ProcOps({}).procLseek(openFile(), 0, 5, NOBODY)).toBe(-ESPIPE);
  });

  test('before the start there is neither data nor a hole, however far', () => {
    for (const whence of [Whence.SeekData, Whence.SeekHole]) {
      for (const offset of [-1, -MAX, -(2 ** 53), -(2 ** 63)]) {
        expect(untouched.procLseek(openFile(), offset, whence, NOBODY)).toBe(-ENXIO);
      }
    }
  });

  test.each([
    ['the last byte at 2^53 - 2', MAX - 8, 0],
    ['an end past 2^53 - 1', MAX - 7, -EFBIG],
    ['an offset of 2^53', 2 ** 53, -EFBIG],
    ['an offset of 2^64 - 1, as a double', 2 ** 64, -EFBIG],
    ['an offset below 0', -1, -EINVAL],
  ])('a range with %s', (_, offset, expected) => {
    const ops = new ProcOps({
      write: () => 0,
      fallocate: () => {},
      truncate: () => {},
      copyFileRange: () => 0,
    });
    expect(ops.procWrite(openFile(), from(8), offset, NOBODY)).toBe(expected);
    expect(ops.procFallocate(openFile(), 0, offset, 8, NOBODY)).toBe(expected);
    expect(ops.procCopyFileRange(offset, 0, 8, NOBODY)).toBe(expected);
    expect(ops.procCopyFileRange(0, offset, 8, NOBODY)).toBe(expected);
    expect(ops.procTruncate(offset < 0 ? offset : offset + 8, NOBODY)).toBe(expected);
  });
});

describe('a read', () => {
  const whole = new ProcOps({
    read(_file, window) {
      window.advance(window.length);
      return window.transferred;
    },
  });

  test.each([
    ['up to 2^53 - 1 is whole', MAX - 8, 8],
    ['past it stops there', MAX - 3, 3],
    ['at it is at an end', MAX, 0],
    ['behind it is too far', 2 ** 53, -EFBIG],
    ['at 2^64 - 1, as a double, is too far', 2 ** 64, -EFBIG],
    ['below 0 is nonsense', -1, -EINVAL],
  ])('%s', (_, offset, expected) => {
    expect(whole.procRead(openFile(), to(8), offset, NOBODY)).toBe(expected);
  });
});

describe('a missing member', () => {
  const none = new ProcOps({});

  test.each([
    ['procRelease', 0],
    ['procRead', -EIO],
    ['procWrite', -EIO],
    ['procLseek', -ESPIPE],
    // POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM: DEFAULT_POLLMASK.
    ['procPoll', 0x145],
    ['procIoctl', -ENOTTY],
    ['procFallocate', -EOPNOTSUPP],
    ['procFsync', -EINVAL],
  ])('makes %s answer %i', (name, expected) => {
    expect(entries[name]?.(none, openFile())).toBe(expected);
  });

  test('lets open and truncate succeed, and copying to the kernel', () => {
    expect(none.procOpen(openFile(), NOBODY)).toBe(0);
    expect(none.procTruncate(100, NOBODY)).toBe(0);
    expect(none.procCopyFileRange(0, 8, 8, NOBODY)).toBe(-EOPNOTSUPP);
  });

  test('leaves the attributes to the directory entry', () => {
    expect(none.hasAttr).toBe(false);
    expect(new ProcOps({ getattr: () => expect.fail() }).hasAttr).toBe(true);
  });
});

describe('what a handler throws', () => {
  const all = { ...entries, ...fileless };

  test.each(Object.entries(all))('%s answers with the number of an Errno, and logs nothing', (_, call) => {
    const ops = new ProcOps(
      handlerThat(() => {
        throw new Errno(EBUSY);
      }),
    );
    expect(call(ops, openFile())).toBe(-EBUSY);
    expect(ops.procGetattr(NOBODY)).toBe(-EBUSY);
    expect(ops.procSetattr({}, NOBODY)).toBe(-EBUSY);
    expect(log).not.toHaveBeenCalled();
  });

  test.each(Object.entries(all))('%s answers EIO for anything else, with the trace in the log', (_, call) => {
    const mistake = new TypeError('a mistake in a handler');
    const ops = new ProcOps(
      handlerThat(() => {
        throw mistake;
      }),
    );
    expect(call(ops, openFile())).toBe(-EIO);
    expect(log).toHaveBeenCalledExactlyOnceWith(mistake);
    expect(ops.procGetattr(NOBODY)).toBe(-EIO);
    expect(ops.procSetattr({}, NOBODY)).toBe(-EIO);
  });

  test.each(Object.entries(all))('%s answers the same when an async handler throws it', async (_, call) => {
    const busy = new ProcOps(handlerThat((async () => Promise.reject(new Errno(EBUSY))) as () => never));
    expect(await call(busy, openFile())).toBe(-EBUSY);
    expect(log).not.toHaveBeenCalled();
    const wrong = new ProcOps(handlerThat((async () => Promise.reject(new Error('late'))) as () => never));
    expect(await call(wrong, openFile())).toBe(-EIO);
    expect(log).toHaveBeenCalledOnce();
  });

  test("an error of one of Node's own system calls keeps its number", () => {
    const ops = new ProcOps({ read: () => readFileSync('/no such file').length });
    expect(ops.procRead(openFile(), to(), 0, NOBODY)).toBe(-ENOENT);
    expect(log).not.toHaveBeenCalled();
  });

  // fuse_dev_do_write refuses a reply with such an error, and the client would wait for ever.
  test.each([0, -1, 512, 4096, 1.5, Number.NaN])(
    'an Errno of %d is EIO: it is none that a caller may get',
    (n) => {
      const ops = new ProcOps({
        open: () => {
          throw new Errno(n);
        },
      });
      expect(ops.procOpen(openFile(), NOBODY)).toBe(-EIO);
      expect(log).toHaveBeenCalledOnce();
    },
  );
});

describe('what a handler answers', () => {
  test('a read may answer what it transferred or less, and not more', () => {
    const read = (claims: number, transfers: number) =>
      new ProcOps({
        read(_file, slice) {
          slice.write(new Uint8Array(transfers));
          return claims;
        },
      }).procRead(openFile(), to(8), 0, NOBODY);
    expect([read(5, 5), read(4, 5), read(8, 8), read(0, 0)]).toEqual([5, 4, 8, 0]);
    expect(log).not.toHaveBeenCalled();
    expect([read(6, 5), read(8, 0), read(-1, 5), read(1.5, 5), read(Number.NaN, 5)]).toEqual(
      Array(5).fill(-EIO),
    );
    expect(log).toHaveBeenCalledTimes(5);
    expect(String(log.mock.calls[0]?.[0])).toMatch(/RangeError: .*answered 6.*0 to 5/);
  });

  test('0 beside bytes that were transferred is a mistake that is said: a caller would try again for ever', () => {
    const read = new ProcOps({
      read(_file, slice) {
        slice.write(new Uint8Array(5));
        return 0;
      },
    });
    const write = new ProcOps({
      write(_file, slice) {
        slice.readAll();
        return slice.left;
      },
    });
    expect(read.procRead(openFile(), to(8), 0, NOBODY)).toBe(-EIO);
    expect(write.procWrite(openFile(), from(8), 0, NOBODY)).toBe(-EIO);
    expect(log).toHaveBeenCalledTimes(2);
    expect(String(log.mock.calls[1]?.[0])).toMatch(/transferred 8 bytes and answered 0; return nothing/);
  });

  test('nothing stands for what was transferred', async () => {
    const now = new ProcOps({
      read: (_file, slice) => slice.write(new Uint8Array(3)),
      write: (_file, slice) => void slice.readAll(),
    });
    expect(now.procRead(openFile(), to(8), 0, NOBODY)).toBe(3);
    expect(now.procWrite(openFile(), from(8), 0, NOBODY)).toBe(8);
    const late = new ProcOps({
      read: async (_file, slice) => slice.write(new Uint8Array(3)),
      write: async () => {},
    });
    expect(await late.procRead(openFile(), to(8), 0, NOBODY)).toBe(3);
    expect(await late.procWrite(openFile(), from(8), 0, NOBODY)).toBe(0);
    expect(new ProcOps({ ioctl: () => {} }).procIoctl(openFile(), 0, from(), to(), NOBODY)).toBe(0);
  });

  test("what open returns is the file's private data from then on", async () => {
    const file = openFile();
    expect(new ProcOps({ open: () => 'mine' }).procOpen(file, NOBODY)).toBe(0);
    expect(file.privateData).toBe('mine');
    expect(await new ProcOps({ open: async () => 'later' }).procOpen(file, NOBODY)).toBe(0);
    expect(file.privateData).toBe('later');
    expect(new ProcOps({ open: () => {} }).procOpen(file, NOBODY)).toBe(0);
    expect(file.privateData).toBe('later');
  });

  test('attributes may come later, and so may their error', async () => {
    const late = new ProcOps({
      getattr: async () => Promise.reject(new Errno(EBUSY)),
      setattr: async () => {},
    });
    expect(await late.procGetattr(NOBODY)).toBe(-EBUSY);
    expect(await late.procSetattr({}, NOBODY)).toBe(0);
  });

  test('a write may answer as much as it was given, and not more', () => {
    const write = (claims: number) =>
      new ProcOps({ write: () => claims }).procWrite(openFile(), from(8), 0, NOBODY);
    expect([write(0), write(8)]).toEqual([0, 8]);
    expect([write(9), write(-1), write(0.5)]).toEqual([-EIO, -EIO, -EIO]);
  });

  test('the bounds are the same for an async handler, whose window has moved on meanwhile', async () => {
    const ops = new ProcOps({
      async read(_file, slice) {
        slice.write(new Uint8Array(3));
        await Promise.resolve();
        slice.write(new Uint8Array(2));
        return 5;
      },
      async write(_file, slice) {
        slice.readAll();
        await Promise.resolve();
        return 8;
      },
    });
    expect(await ops.procRead(openFile(), to(8), 0, NOBODY)).toBe(5);
    expect(await ops.procWrite(openFile(), from(8), 0, NOBODY)).toBe(8);
    const greedy = new ProcOps({ read: async () => 1, write: async () => 9 });
    expect(await greedy.procRead(openFile(), to(8), 0, NOBODY)).toBe(-EIO);
    expect(await greedy.procWrite(openFile(), from(8), 0, NOBODY)).toBe(-EIO);
  });

  test('a transfer that a handler lets fail is EFAULT', () => {
    const ops = new ProcOps({
      read(_file, slice) {
        slice.write(new Uint8Array(9));
        return 9;
      },
    });
    const slice = to(8);
    expect(ops.procRead(openFile(), slice, 0, NOBODY)).toBe(-EFAULT);
    expect(slice.transferred).toBe(8);
  });

  test('a position moves the file when it is one', () => {
    const seek = (position: number) => {
      const file = { ...openFile(), pos: 42 };
      return [new ProcOps({ lseek: () => position }).procLseek(file, 0, 3, NOBODY), file.pos];
    };
    expect(seek(0)).toEqual([0, 0]);
    expect(seek(MAX)).toEqual([MAX, MAX]);
    expect(seek(-1)).toEqual([-EIO, 42]);
    expect(seek(2 ** 53)).toEqual([-EIO, 42]);
  });

  test('results of ioctl, poll and copy_file_range stay in the range that the reply has room for', () => {
    const ops = (value: number) =>
      new ProcOps({ ioctl: () => value, poll: () => value, copyFileRange: () => value });
    const calls = (value: number) => [
      ops(value).procIoctl(openFile(), 0, from(), to(), NOBODY),
      ops(value).procPoll(openFile(), () => {}, NOBODY),
      ops(value).procCopyFileRange(0, 8, 8, NOBODY),
    ];
    expect(calls(8)).toEqual([8, 8, 8]);
    expect(calls(9)).toEqual([9, 9, -EIO]);
    expect(calls(2 ** 31)).toEqual([-EIO, 2 ** 31, -EIO]);
    expect(calls(2 ** 32)).toEqual([-EIO, -EIO, -EIO]);
    expect(calls(-1)).toEqual([-EIO, -EIO, -EIO]);
  });
});

test('arguments arrive at the handler as they were sent, this and all', async () => {
  const seen: unknown[] = [];
  const file = openFile();
  const [slice, source] = [to(), from()];
  const wake = () => {};
  const handler: ProcHandler = {
    read(...args) {
      seen.push(['read', this === handler, ...args]);
      return 0;
    },
    write(...args) {
      seen.push(['write', this === handler, ...args]);
      return 0;
    },
    lseek(...args) {
      seen.push(['lseek', this === handler, ...args]);
      return 7;
    },
    poll(...args) {
      seen.push(['poll', this === handler, ...args]);
      return 1;
    },
    ioctl(...args) {
      seen.push(['ioctl', this === handler, ...args]);
      return 0;
    },
    fsync(...args) {
      seen.push(['fsync', this === handler, ...args]);
    },
    copyFileRange(...args) {
      seen.push(['copyFileRange', this === handler, ...args]);
      return 0;
    },
  };
  const ops = new ProcOps(handler);
  ops.procRead(file, slice, 1, NOBODY);
  ops.procWrite(file, source, 2, NOBODY);
  ops.procLseek(file, -3, 2, NOBODY);
  ops.procPoll(file, wake, NOBODY);
  ops.procIoctl(file, 4, source, slice, NOBODY);
  ops.procFsync(file, true, NOBODY);
  ops.procCopyFileRange(5, 6, 7, NOBODY);
  expect(seen).toEqual([
    ['read', true, file, slice, 1, NOBODY],
    ['write', true, file, source, 2, NOBODY],
    ['lseek', true, file, -3, 2, NOBODY],
    ['poll', true, file, wake, NOBODY],
    ['ioctl', true, file, 4, source, slice, NOBODY],
    ['fsync', true, file, true, NOBODY],
    ['copyFileRange', true, 5, 6, 7, NOBODY],
  ]);
  expect(file.pos).toBe(7);
});
