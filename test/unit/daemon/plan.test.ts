import { describe, expect, test } from 'vitest';
import { type FilePlan, type Machine, plan } from '../../../src/daemon/plan.ts';
import { FEWER_THREADS, type Settings } from '../../../src/daemon/settings.ts';
import { MountError } from '../../../src/mount/mount-error.ts';
import { lockedBeside, WINDOW_SIZE } from '../../../src/ram-file/sizes.ts';
import { Capability } from '../../../src/sys/capabilities.ts';
import { size } from '../../../src/text/size.ts';
import { DEFAULT_THREADS } from '../../../src/transport/kernel/worker-contract.ts';

const MIB = 2 ** 20;
const GIB = 2 ** 30;
const PAGE = 4096;
const NONE = Number.POSITIVE_INFINITY;

const everybody: Machine = {
  uid: 1000,
  gid: 100,
  memory: 8 * GIB + 3,
  lockable: 8 * MIB,
  addresses: NONE,
  files: 1024,
  capable: () => false,
};
const root: Machine = { ...everybody, uid: 0, gid: 0, capable: () => true };

/** What is to be of the one file. */
function fileOf(settings: Settings, machine = root): FilePlan {
  const { files } = plan(settings, machine);
  const [file] = files;
  if (file === undefined || files.length > 1) throw new Error(`There are ${files.length} files.`);
  return file;
}

/** The sentence with which a plan is refused. */
function refusal(settings: Settings, machine = root): string {
  try {
    plan(settings, machine);
  } catch (error) {
    if (error instanceof MountError) return error.message;
    throw error;
  }
  throw new Error('It was not refused.');
}

describe('when nothing is said', () => {
  test("the file is the seed's, is its mounter's, and may take half of the memory, in whole pages", () => {
    expect(fileOf({}, everybody)).toEqual({
      name: 'rust-proc-file',
      mode: 0o666,
      uid: 1000,
      gid: 100,
      maxSize: 4 * GIB + PAGE,
      io: 'direct',
      atime: true,
      secret: undefined,
    });
  });

  test('it is served over the kernel, for its mounter alone, on an empty directory', () => {
    const { files: _, ...rest } = plan({}, everybody);
    expect(rest).toEqual({
      secret: false,
      modules: [],
      transport: 'kernel',
      channel: 'device',
      threads: DEFAULT_THREADS,
      record: undefined,
      from: undefined,
      log: undefined,
      ...{ verbose: false, debug: false },
      mount: { fsname: 'ramproc', words: [], allowOther: false, autoUnmount: false },
      nonempty: false,
    });
  });

  test('a secret has fewer threads, for each locks memory that it could have, and mode 0600', () => {
    const { threads, files, secret } = plan({ secret: true }, root);
    const [file] = files;
    expect(secret).toBe(true);
    expect([threads, file?.secret, file?.mode]).toEqual([FEWER_THREADS, { threads: FEWER_THREADS }, 0o600]);
    expect(FEWER_THREADS).toBeLessThan(DEFAULT_THREADS);
  });

  test('passthrough has fewer threads: the kernel does the work', () => {
    expect(plan({ io: 'passthrough' }, root).threads).toBe(FEWER_THREADS);
  });
});

test('what is said holds', () => {
  const said: Settings = {
    ...{ name: 'notes', mode: 0o640, uid: 5, gid: 7, maxSize: 64 * MIB, threads: 4, io: 'cached' },
    ...{ from: '-', log: 'log', record: 'recording', allowOther: true, autoUnmount: true, nonempty: true },
    debug: true,
    ...{ fsname: 'disk', words: ['ro', 'noexec'] },
  };
  expect(plan(said, everybody)).toEqual({
    files: [
      {
        ...{ name: 'notes', mode: 0o640, uid: 5, gid: 7, maxSize: 64 * MIB, io: 'cached' },
        ...{ atime: true, secret: undefined },
      },
    ],
    secret: false,
    modules: [],
    ...{
      transport: 'kernel',
      channel: 'device',
      threads: 4,
      record: 'recording',
      from: '-',
      log: 'log',
      nonempty: true,
    },
    ...{ verbose: true, debug: true },
    mount: { fsname: 'disk', words: ['ro', 'noexec'], allowOther: true, autoUnmount: true },
  });
});

test('several files have each its name, mode and size, and the rest in common', () => {
  const file = [
    { name: 'a', maxSize: 1 },
    { name: 'b', mode: 0o600 },
  ];
  const { files } = plan({ file, uid: 5, io: 'cached' }, everybody);
  expect(files.map(({ name, mode, maxSize, uid, io }) => [name, mode, maxSize, uid, io])).toEqual([
    ['a', 0o666, PAGE, 5, 'cached'],
    ['b', 0o600, 4 * GIB + PAGE, 5, 'cached'],
  ]);
});

test.each([
  [1, PAGE],
  [1024, PAGE],
  [PAGE, PAGE],
  [5000, 2 * PAGE],
  [2 ** 53 - PAGE, 2 ** 53 - PAGE],
])('a size of %d bytes is rounded up to %d, as tmpfs does', (maxSize, holds) => {
  expect(fileOf({ maxSize }, everybody).maxSize).toBe(holds);
});

test.each([
  [[], true],
  [['noatime'], false],
  [['noatime', 'ro', 'atime'], true],
  [['atime', 'noatime'], false],
  [['relatime', 'noatime'], false],
  [['strictatime', 'noatime'], true],
])('after the words %j, whether reading moves atime is %s, as for the kernel', (words, atime) => {
  expect(fileOf({ words }, everybody).atime).toBe(atime);
});

describe('what does not go together is one sentence', () => {
  test.each<[Settings, string]>([
    [
      { transport: 'libfuse', io: 'cached' },
      'Cannot mount with "--io cached" over libfuse 2; use "--transport kernel" for it.',
    ],
    [
      { transport: 'libfuse', record: 'r' },
      'Cannot record over libfuse 2, which keeps the requests; use "--transport kernel" for it.',
    ],
    [
      { secret: true, mode: 0o640 },
      'Cannot mount with "--secret" and "--mode 0640": a secret is for its owner alone, such as with 0600.',
    ],
    [
      { secret: true, io: 'cached' },
      'Cannot mount with "--secret" and "--io cached": the page cache would keep copies that cannot be overwritten.',
    ],
    [
      { secret: true, transport: 'libfuse' },
      'Cannot mount with "--secret" and "--transport libfuse": libfuse keeps copies that cannot be overwritten.',
    ],
    [
      { secret: true, record: 'r' },
      'Cannot mount with "--secret" and "--record": it would write the secret to a file.',
    ],
    [
      { secret: true, channel: 'uring' },
      'Cannot mount with "--secret" and "--channel uring": the kernel may put the next request where the last was to be overwritten.',
    ],
    [
      { transport: 'libfuse', channel: 'uring' },
      'Cannot mount with "--channel uring" over libfuse 2; use "--transport kernel" for it.',
    ],
    [
      { file: [{ name: 'a' }, { name: 'b' }], secret: true },
      'Cannot mount with "--secret" and "--file": each secret has a process of its own; mount one after the other.',
    ],
    ...Object.entries({ name: 'n', mode: 0o600, 'max-size': 1, from: '-' }).map(
      ([option, value]): [Settings, string] => [
        { file: [{ name: 'a' }], [option === 'max-size' ? 'maxSize' : option]: value },
        `Cannot mount with "--file" and "--${option}": "--file name:mode=size" says it of each file.`,
      ],
    ),
    [
      { file: [{ name: 'a' }, { name: 'b' }, { name: 'a' }] },
      'Cannot mount two files with the name "a"; give each its own.',
    ],
  ])('%j', (settings, sentence) => {
    expect(refusal(settings)).toBe(sentence);
  });
});

test('passthrough is for who may do anything on the whole machine', () => {
  expect(refusal({ io: 'passthrough' }, everybody)).toBe(
    'Cannot mount with "--io passthrough": it needs CAP_SYS_ADMIN, as root has it outside of user namespaces; use "--io cached" instead.',
  );
  const asked: number[] = [];
  const machine: Machine = { ...everybody, capable: (capability) => asked.push(capability) > 0 };
  expect(fileOf({ io: 'passthrough' }, machine).io).toBe('passthrough');
  expect(asked).toEqual([Capability.SYS_ADMIN]);
});

describe('a secret', () => {
  test('is by default as large as what may be locked, less what its threads lock, in whole pages', () => {
    const left = 8 * MIB - lockedBeside(FEWER_THREADS);
    const { maxSize } = fileOf({ secret: true }, everybody);
    expect(maxSize).toBe(left - (left % PAGE));
    expect(fileOf({ secret: true, threads: FEWER_THREADS + 1 }, everybody).maxSize).toBeLessThan(maxSize);
    expect(fileOf({ secret: true, maxSize }, everybody).maxSize).toBe(maxSize);
  });

  test('that is larger is refused with the limit, and so is any when nothing is left', () => {
    expect(refusal({ secret: true, threads: 2, maxSize: 4 * MIB }, everybody)).toBe(
      `Cannot mount a secret with --max-size 4 MiB: RLIMIT_MEMLOCK lets this process lock 8 MiB, which leaves ${size(fileOf({ secret: true, threads: 2 }, everybody).maxSize)} for the data; lower --max-size or raise "ulimit -l".`,
    );
    expect(refusal({ secret: true }, { ...everybody, lockable: 64 * 1024 })).toMatch(
      /^Cannot mount a secret: RLIMIT_MEMLOCK lets this process lock 64 KiB, which leaves 0 B for the data; /,
    );
  });

  test('of who may lock memory without a limit can be as large as what can be mapped', () => {
    const asked: number[] = [];
    const machine: Machine = { ...everybody, capable: (capability) => asked.push(capability) > 0 };
    expect(fileOf({ secret: true, maxSize: WINDOW_SIZE }, machine).maxSize).toBe(WINDOW_SIZE);
    expect(asked).toEqual([Capability.IPC_LOCK]);
    expect(refusal({ secret: true, maxSize: WINDOW_SIZE + 1 }, machine)).toBe(
      'Cannot mount a secret with --max-size 3.87 GiB: no more than 3.87 GiB of it can be mapped; lower --max-size.',
    );
  });

  test('with passthrough is a tmpfs without swap, which nobody has to lock', () => {
    expect(fileOf({ secret: true, io: 'passthrough', maxSize: 2 ** 40 }, root).maxSize).toBe(2 ** 40);
  });
});

test('a process with fewer addresses than the mapping and the threads take is told so', () => {
  const few: Machine = { ...root, addresses: 5 * GIB };
  expect(refusal({ threads: 3 }, few)).toBe(
    'Cannot mount: "ulimit -v" leaves this process 5 GiB of addresses, and it needs 6.4 GiB; raise it.',
  );
  expect(plan({ threads: 1 }, few).threads).toBe(1);
  expect(plan({ transport: 'libfuse' }, few).transport).toBe('libfuse');
  expect(fileOf({ io: 'passthrough' }, few).io).toBe('passthrough');
});

test('a process that may open fewer files than it and its threads need is told so', () => {
  const few: Machine = { ...root, files: 99 };
  expect(refusal({ threads: 3 }, few)).toBe(
    'Cannot mount: "ulimit -n" lets this process open 99 files, and it needs 100; raise it.',
  );
  expect(plan({ threads: 2 }, few).threads).toBe(2);
  expect(plan({ threads: 64 }, everybody).threads).toBe(64);
  expect(plan({ transport: 'libfuse', threads: 64 }, few).transport).toBe('libfuse');
});

test('what joins others is served without a thread of its own, and has nothing that is for one alone', () => {
  expect(plan({ join: true }, everybody).threads).toBe(0);
  expect(plan({ join: true, threads: 2 }, everybody).threads).toBe(2);
  for (const [settings, option] of [
    [{ secret: true }, '--secret'],
    [{ transport: 'libfuse' }, '--transport libfuse'],
    [{ channel: 'uring' }, '--channel uring'],
    [{ from: '-' }, '--from'],
    [{ record: 'r' }, '--record'],
  ] as const) {
    expect(refusal({ join: true, ...settings })).toMatch(
      new RegExp(`^Cannot mount with "--join" and "${option}": .*; leave out one of them\\.$`),
    );
  }
});
