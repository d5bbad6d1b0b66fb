import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chownSync,
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { Daemon } from '../../src/daemon/control/client.ts';
import { plan, thisMachine } from '../../src/daemon/plan.ts';
import { lockedBeside } from '../../src/ram-file/sizes.ts';
import { libcFunction } from '../../src/sys/libc.ts';
import { FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE } from '../../src/sys/memfd.ts';
import { mountAt } from '../../src/sys/mountinfo.ts';
import { answer, must } from '../support/answer.ts';
import { calls, MAP_SHARED, PROT_READ, SEEK_DATA } from '../support/calls/index.ts';
import { Client } from '../support/client.ts';
import { openDeviceToAll } from '../support/device.ts';
import { HANGS_AFTER } from '../support/hanging.ts';
import { mappings, mappingsWith, unevictable } from '../support/memory.ts';
import { COMMAND, Mount, mount, ramproc, run } from '../support/mount.ts';
import { mountAsNobody, NOBODY, ramprocAsNobody, runAsNobody } from '../support/nobody.ts';
import { openBacking, PageReferences } from '../support/page-references.ts';
import { makeDir } from '../support/run.ts';
import { bash, shellDir } from '../support/shell.ts';
import { Tmpfs } from '../support/tmpfs.ts';

const PAGE = 4096;
/** As much as a pipe holds. */
const LENGTH = 1 << 20;
const { O_RDONLY, O_RDWR } = constants;

/** Bytes that stand nowhere else. */
function newMarker(): Buffer {
  return Buffer.from(randomBytes(16).toString('hex'));
}

interface Kind {
  readonly name: string;
  readonly uid: number;
  readonly start: (options: readonly string[]) => Promise<Mount>;
  readonly options: readonly string[];
}

const direct: Kind = { name: 'of root', uid: 0, start: mount, options: [] };
const passthrough: Kind = { ...direct, name: 'of root, with passthrough', options: ['--io', 'passthrough'] };
const ofNobody: Kind = { ...direct, name: 'of an ordinary user', uid: NOBODY, start: mountAsNobody };

const clients = new Map<number, Client>();
beforeAll(async () => {
  for (const uid of [0, NOBODY]) clients.set(uid, await Client.start(uid));
});
afterAll(async () => {
  for (const client of clients.values()) await client[Symbol.asyncDispose]();
});

/** The system calls of the user whose mount it is: nobody else may use it. */
function sysOf({ uid }: Kind): Client['sys'] {
  const { sys } = clients.get(uid) ?? {};
  if (sys === undefined) throw new Error(`There is no client of user ${uid}.`);
  return sys;
}

/** Opens the file and fills its first megabyte with a marker. */
async function fill(kind: Kind, { file }: Mount, marker: Buffer): Promise<number> {
  const sys = sysOf(kind);
  const fd = must(await sys.open(file, O_RDWR));
  expect(await sys.pwrite(fd, Buffer.alloc(LENGTH, marker), 0)).toBe(LENGTH);
  return fd;
}

describe.each([direct, passthrough, ofNobody])('a secret $name', (kind) => {
  const first = newMarker();
  let at: Mount;
  beforeAll(async () => {
    const source = join(makeDir('source'), 'first');
    writeFileSync(source, Buffer.alloc(2 * LENGTH, first));
    at = await kind.start(['--secret', '--from', source, ...kind.options]);
  });
  afterAll(() => at[Symbol.asyncDispose]());

  test('is not written to swap', async () => {
    // Written once, by the way that bytes take whose pages aren't there yet.
    const backing = openBacking(at.pid);
    // Mapped here, its pages can be found by their numbers, also those that the daemon has not mapped.
    const address = must(calls.mmap(backing, 0, LENGTH, PROT_READ, MAP_SHARED));
    must(calls.load(address, LENGTH));
    // A page that was just added may wait for its flag, on each CPU with a few others (folio_batch).
    const waiting = kind === passthrough ? 31 * availableParallelism() : 0;
    expect(unevictable(address, address + LENGTH)).toBeGreaterThanOrEqual(LENGTH / PAGE - waiting);
    must(calls.munmap(address, LENGTH));
    closeSync(backing);
  });

  test('makes no core dump, and lets only root look into its process', async () => {
    expect(readFileSync(`/proc/${at.pid}/limits`, 'utf8')).toMatch(/^Max core file size +0 +0 +bytes/m);
    // The kernel gives the files of a process that may not be dumped to root (proc_pid(5)).
    expect(statSync(`/proc/${at.pid}/mem`).uid).toBe(0);
    expect(await clients.get(NOBODY)?.sys.open(`/proc/${at.pid}/mem`, O_RDONLY)).toBe('EACCES');
  });

  test('stands in no memory but such as is locked, and kept from core dumps and children; and in none in the end', async () => {
    const marker = newMarker();
    const sys = sysOf(kind);
    const fd = await fill(kind, at, marker);
    // All ways that bytes go through the daemon.
    must(await sys.pwrite(fd, marker, 100));
    must(await sys.pread(fd, LENGTH, 0));
    must(await sys.pread(fd, PAGE, 10));
    must(await sys.copyFileRange(fd, 0, fd, LENGTH, LENGTH / 2));
    must(await sys.ftruncate(fd, LENGTH + 10));
    const holding = () => [marker, first].flatMap((text) => mappingsWith(at.pid, text));
    const elsewhere = () => holding().filter(({ name }) => name !== '/memfd:rust-proc-file (deleted)');
    // The last reply is overwritten after it was given.
    await expect.poll(elsewhere).toEqual([]);
    for (const { flags } of holding()) expect(flags).toEqual(expect.arrayContaining(['lo', 'dd', 'dc']));
    expect(mappingsWith(at.pid, marker)).toHaveLength(kind === passthrough ? 0 : 1);
    const locked = mappings(at.pid).filter(({ flags }) => flags.includes('lo'));
    expect(locked.reduce((sum, one) => sum + one.locked, 0)).toBeGreaterThanOrEqual(
      kind === passthrough ? 0 : LENGTH,
    );

    const daemon = await Daemon.of(mountAt(at.dir) ?? expect.fail());
    expect(await daemon.ask('teardown', {})).toEqual({ taken: true });
    expect(holding()).toEqual([]);
    await sys.close(fd);
  });
});

describe('memory that was given back', () => {
  /** The pages of a marked file after its end, or after what is done to it. */
  async function left(
    kind: Kind,
    options: string[],
    end: (at: Mount, fd: number) => Promise<unknown>,
  ): Promise<Buffer> {
    await using at = await kind.start([...options, ...kind.options]);
    const fd = await fill(kind, at, newMarker());
    const backing = openBacking(at.pid);
    using pages = new PageReferences(backing, LENGTH);
    closeSync(backing);
    await end(at, fd);
    await sysOf(kind).close(fd);
    return pages.take();
  }

  const zeros = Buffer.alloc(LENGTH);
  const signal = (name: NodeJS.Signals) => async (at: Mount) => {
    process.kill(at.pid, name);
    await at.ended();
  };
  const truncate = (kind: Kind) => async (_: Mount, fd: number) => must(await sysOf(kind).ftruncate(fd, 0));
  const punch = (kind: Kind) => async (_: Mount, fd: number) =>
    must(await sysOf(kind).fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, LENGTH));
  const unmount = (kind: Kind) => async (at: Mount, fd: number) => {
    await sysOf(kind).close(fd);
    expect((await run('umount', at.dir)).stderr).toBe('');
    await at.ended();
  };

  test.each([
    { how: 'umount', kind: direct, end: unmount(direct) },
    { how: 'SIGTERM, with the file open', kind: direct, end: signal('SIGTERM') },
    { how: 'SIGINT, with the file open', kind: passthrough, end: signal('SIGINT') },
    { how: 'SIGTERM, with the file open, by its user', kind: ofNobody, end: signal('SIGTERM') },
    { how: 'truncate', kind: direct, end: truncate(direct) },
    { how: 'punching a hole', kind: passthrough, end: punch(passthrough) },
  ])('was overwritten after $how, if it held a secret $kind.name', async ({ kind, end }) => {
    expect((await left(kind, ['--secret'], end)).equals(zeros)).toBe(true);
  });

  test('was overwritten when the daemon is told to end while it still reads --from', async () => {
    const parameters = [COMMAND, 'mount', makeDir('filling'), '--foreground', '--secret', '--from', '-'];
    const filling = spawn(process.execPath, parameters, { stdio: ['pipe', 'ignore', 'ignore'] });
    const ended = new Promise((end) => filling.once('exit', (_, signal) => end(signal)));
    filling.stdin.write(Buffer.alloc(LENGTH, newMarker()));
    const backing = await vi.waitFor(() => openBacking(filling.pid ?? 0), HANGS_AFTER);
    await expect.poll(() => fstatSync(backing).size).toBe(LENGTH);
    using pages = new PageReferences(backing, LENGTH);
    closeSync(backing);
    filling.kill('SIGTERM');
    expect(await ended).toBe('SIGTERM');
    expect(pages.take().equals(zeros)).toBe(true);
  });

  test('was not, if it held none: the pages are still those', async () => {
    expect((await left(direct, [], truncate(direct))).toString('latin1')).toMatch(/^([0-9a-f]{32})\1+$/);
  });
});

describe('overwriting', () => {
  const SIZE = 512 << 20;
  const ROUNDS = 3;

  async function dd(file: string): Promise<number> {
    const start = performance.now();
    const ended = await run(
      'dd',
      'if=/dev/zero',
      `of=${file}`,
      'bs=1M',
      `count=${SIZE >> 20}`,
      'status=none',
    );
    expect(ended).toEqual({ status: 0, stdout: '', stderr: '' });
    return performance.now() - start;
  }

  /** How long dd takes to fill a file, and the daemon of a secret to be gone after it was unmounted, in milliseconds. */
  async function round(kind: Kind): Promise<[fill: number, end: number]> {
    const tmpfs = new Tmpfs(2 * SIZE);
    const fill = await dd(join(tmpfs.dir, 'file'));
    tmpfs[Symbol.dispose]();
    await using at = await kind.start(['--secret', '-s', String(SIZE), ...kind.options]);
    await dd(at.file);
    const start = performance.now();
    await run('umount', at.dir);
    await at.ended();
    return [fill, performance.now() - start];
  }

  // With the kernel looking at all of the file for each MiB, as it once did, it took 6 to 8 times as long.
  test.each([direct, passthrough])(
    'of a secret $name takes no longer than a few times what dd takes to fill a file',
    async (kind) => {
      const rounds: [fill: number, end: number][] = [];
      for (let i = 0; i < ROUNDS; i++) rounds.push(await round(kind));
      const least = (index: 0 | 1) => Math.min(...rounds.map((times) => times[index]));
      expect(least(1) / least(0)).toBeLessThan(3);
    },
  );
});

test('a secret is for its owner alone by default, also by -o', async () => {
  await using one = await mount(['-o', 'secret']);
  expect(statSync(one.file).mode & 0o7777).toBe(0o600);
});

test.each([
  [{ mode: 0o640 }, '--mode 0640'],
  [{ io: 'cached' as const }, '--io cached'],
  [{ transport: 'libfuse' as const }, '--transport libfuse'],
  [{ record: 'file' }, '--record'],
])('%j does not go with --secret', (settings, option) => {
  expect(() => plan({ ...settings, secret: true, threads: 2 })).toThrow(
    `Cannot mount with "--secret" and "${option}": `,
  );
});

test('a secret that is larger than what may be locked or mapped is refused, with the limit', async () => {
  expect(() => plan({ secret: true, maxSize: 2 ** 33, threads: 2 })).toThrow(
    /--max-size 8 GiB: no more than 3.87 GiB/,
  );
  const { status, stderr } = await ramprocAsNobody('mount', makeDir('large'), '--secret', '-s', '1T');
  expect({ status, stderr }).toMatchObject({
    status: 32,
    stderr: expect.stringMatching(/--max-size 1 TiB: (RLIMIT_MEMLOCK lets|no more)/),
  });
  expect((await ramproc('mount', makeDir('large'), '--secret', '-s', '1T')).status).toBe(32);
});

test('in a user namespace a secret is as large as its root may lock, which is no more than anybody', async () => {
  const script = `ulimit -l 8192
    unshare -Urm bash -c '
      ramproc mount m --secret --json && echo text >m/rust-proc-file && cat m/rust-proc-file && ramproc unmount m'`;
  const dir = shellDir();
  mkdirSync(join(dir, 'm'));
  const { status, stdout, stderr } = await bash(dir, script);
  expect([status, stderr]).toEqual([0, '']);
  const [told = '', text] = stdout.split('\n');
  expect(text).toBe('text');
  expect(JSON.parse(told).maxSize).toBe(
    plan({ secret: true }, { ...thisMachine(), lockable: 8 << 20, capable: () => false }).files.at(0)
      ?.maxSize,
  );
});

test('a secret can be mapped where little may be locked beside it', async () => {
  const dir = shellDir();
  mkdirSync(join(dir, 'm'));
  const map = `import mmap; f = open("m/rust-proc-file", "r+b"); m = mmap.mmap(f.fileno(), 4); m[1:3] = b"__"; m.flush(); print(f.read())`;
  const script = `ulimit -l 8192
    unshare -Urm bash -c '
      ramproc mount m --secret -s 1M >/dev/null && echo text >m/rust-proc-file
      python3 -c "$0"; ramproc unmount m' '${map}'`;
  expect(await bash(dir, script)).toEqual({ status: 0, stdout: "b't__t\\n'\n", stderr: '' });
});

test('a limit of what may be locked that ends within a page leaves whole pages to a secret', async () => {
  using _device = openDeviceToAll();
  const dir = makeDir('odd');
  chownSync(dir, NOBODY, NOBODY);
  // A scratch memory, room for copies, 4 pages, and 3 KiB that are of no use.
  const limit = (lockedBeside(1) + 4 * PAGE) / 1024 + 3;
  const command = [process.execPath, COMMAND, 'mount', dir, '--json', '--secret', '--threads', '1'];
  const { stdout, stderr } = await runAsNobody('sh', '-c', `ulimit -l ${limit}; exec "$@"`, 'sh', ...command);
  expect(stderr).toBe('');
  const told = JSON.parse(stdout);
  await using _mount = new Mount(told);
  expect(told.maxSize).toBe(4 * PAGE);
});

test('memfd_secret, where the kernel has it, is memory to map and no file to serve', () => {
  const secretFd = answer(() => libcFunction<[number, number]>('syscall', 'long', ['long', 'uint'])(447, 0));
  if (typeof secretFd !== 'number') {
    expect(secretFd).toBe('ENOSYS');
    return;
  }
  expect(calls.ftruncate(secretFd, LENGTH)).toBe(0);
  expect(calls.pwrite(secretFd, 'x', 0)).toBe('ESPIPE');
  expect(calls.pread(secretFd, 1, 0)).toBe('ESPIPE');
  expect(calls.write(secretFd, 'x')).toBe('EINVAL');
  expect(calls.read(secretFd, 1)).toBe('EINVAL');
  expect(calls.fallocate(secretFd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGE)).toBe('EOPNOTSUPP');
  expect(calls.lseek(secretFd, 0, SEEK_DATA)).toBe('ESPIPE');
  // Its size is set once.
  expect(calls.ftruncate(secretFd, 2 * LENGTH)).toBe('EINVAL');
  expect(calls.ftruncate(secretFd, 0)).toBe('EINVAL');
  calls.close(secretFd);
});
