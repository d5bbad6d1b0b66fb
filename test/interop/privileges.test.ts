import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { mountAt } from '../../src/sys/mountinfo.ts';
import { ofDescriptors } from '../support/descriptors.ts';
import { COMMAND, Mount, mount, ramproc, run } from '../support/mount.ts';
import { mountAsNobody, NOBODY } from '../support/nobody.ts';
import { makeDir } from '../support/run.ts';
import { startRamproc } from '../support/started.ts';

/** Bits of a capability set. Source: linux/capability.h. */
const DAC_READ_SEARCH = 1n << 2n;
const IPC_LOCK = 1n << 14n;
const SYS_ADMIN = 1n << 21n;

const O_CLOEXEC = 0o2000000;

/** What /proc says of each thread of a process. */
function threads(pid: number, field: string): string[] {
  return readdirSync(`/proc/${pid}/task`).map((task) => {
    const status = readFileSync(`/proc/${pid}/task/${task}/status`, 'utf8');
    return status.match(new RegExp(`^${field}:\\s*(\\S+)`, 'm'))?.[1] ?? '';
  });
}

/** Capability sets of all threads, each once. */
function capabilities(pid: number, set: 'CapEff' | 'CapPrm'): Set<bigint> {
  return new Set(threads(pid, set).map((digits) => BigInt(`0x${digits}`)));
}

/** The open files of a process, by what they are, with whether programs that it starts would inherit them. */
function descriptors(pid: number): { fd: number; to: string; inherited: boolean }[] {
  return ofDescriptors(pid, (fd, path) => {
    const [, flags = ''] = readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8').match(/^flags:\s*(\d+)/m) ?? [];
    return {
      fd: Number(fd),
      to: readlinkSync(path),
      inherited: (Number.parseInt(flags, 8) & O_CLOEXEC) === 0,
    };
  });
}

test.each([
  ['direct', [], false],
  ['passthrough', ['--io', 'passthrough'], false],
  ['secret', ['--secret'], true],
  ['libfuse', ['--transport', 'libfuse'], false],
])(
  "root's daemon is left with what it needs to unmount, in every thread, and can gain no more, %s",
  async (_, options, locks) => {
    await using at = await mount(options);
    const needed = SYS_ADMIN | DAC_READ_SEARCH;
    // Of a daemon that locks memory, threads that Node starts before any code of ours have what that takes, too.
    const expected = new Set(locks ? [needed, needed | IPC_LOCK] : [needed]);
    expect(capabilities(at.pid, 'CapEff')).toEqual(expected);
    expect(capabilities(at.pid, 'CapPrm')).toEqual(expected);
    expect(new Set(threads(at.pid, 'NoNewPrivs'))).toEqual(new Set(['1']));
    await works(at);
    process.kill(at.pid, 'SIGTERM');
    await at.ended();
    expect(mountAt(at.dir)).toBeUndefined();
  },
);

async function works({ file }: Mount): Promise<void> {
  writeFileSync(file, 'text');
  expect(readFileSync(file, 'utf8')).toBe('text');
}

test("root's daemon in the foreground is left with the same, in every thread", async () => {
  const started = startRamproc('mount', makeDir('foreground'), '--foreground', '--json');
  await expect.poll(() => started.stdout).toContain('\n');
  await using at = new Mount(JSON.parse(started.stdout));
  const needed = SYS_ADMIN | DAC_READ_SEARCH;
  expect(capabilities(at.pid, 'CapPrm')).toEqual(new Set([needed]));
  expect(new Set(threads(at.pid, 'NoNewPrivs'))).toEqual(new Set(['1']));
});

test("root's daemon finds its directory again where only another user may go, and unmounts it", async () => {
  const home = makeDir('home');
  const dir = join(home, 'mnt');
  mkdirSync(dir);
  chownSync(home, NOBODY, NOBODY);
  chmodSync(home, 0o700);
  await using at = await mount([], dir);
  await works(at);
  process.kill(at.pid, 'SIGTERM');
  await at.ended();
  expect(mountAt(dir)).toBeUndefined();
});

test("root's daemon takes its data by force, and is unmounted", async () => {
  await using at = await mount();
  await works(at);
  expect(await ramproc('unmount', '--force', at.dir)).toMatchObject({ status: 0, stderr: '' });
  await at.ended();
});

test("an ordinary user's daemon has no capabilities, and may start fusermount3 to unmount", async () => {
  await using at = await mountAsNobody();
  expect(capabilities(at.pid, 'CapEff')).toEqual(new Set([0n]));
  expect(new Set(threads(at.pid, 'NoNewPrivs'))).toEqual(new Set(['0']));
  process.kill(at.pid, 'SIGTERM');
  await at.ended();
  expect(mountAt(at.dir)).toBeUndefined();
});

test('a daemon holds nothing of the command that started it, and hands nothing on to programs that it starts', async () => {
  const command = [process.execPath, COMMAND, 'mount', makeDir('mount'), '--secret', '--json'];
  const { stdout } = await run('bash', '-c', 'exec 200< /; exec "$@"', 'bash', ...command);
  await using at = new Mount(JSON.parse(stdout));
  const inherited = () => descriptors(at.pid).filter(({ inherited, fd }) => inherited && fd > 2);
  // The socket of the command, which may be about to end, is one.
  await expect.poll(inherited).toEqual([]);
  const open = descriptors(at.pid);
  expect(readlinkSync(`/proc/${at.pid}/cwd`)).toBe('/');
  const files = open.map(({ to }) => to).filter((to) => to.startsWith('/') && to !== '/dev/null');
  // The file twice, see RamBuffer, and no directory, library or terminal.
  expect(files.toSorted()).toEqual([
    '/dev/fuse',
    '/memfd:rust-proc-file (deleted)',
    '/memfd:rust-proc-file (deleted)',
  ]);
});
