import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { mountAt } from '../../src/sys/mountinfo.ts';
import { must } from '../support/answer.ts';
import { calls } from '../support/calls/index.ts';
import { type Mount, mount, ramproc, runs } from '../support/mount.ts';
import { mountAsNobody } from '../support/nobody.ts';
import { makeDir } from '../support/run.ts';
import { startRamproc } from '../support/started.ts';

const MIB = 1 << 20;

/** What a process holds in memory, in bytes. Source: proc_pid_smaps(5). */
function resident({ pid }: Mount): number {
  const [, kib] = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8').match(/^Rss: +(\d+) kB$/m) ?? [];
  return Number(kib) * 1024;
}

const title = ({ pid }: Mount) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').replace(/\0.*$/s, '');

test('a second mount joins the first, each with its own file, and each is unmounted alone', async () => {
  await using one = await mount(['--join', '-s', '1M']);
  const two = await mount(['--join', '-n', 'other', '-m', '0600', '-s', '64k']);
  expect(two.pid).toBe(one.pid);
  expect(title(one)).toBe(`ramproc ${one.dir} ${two.dir}`);
  writeFileSync(one.file, 'one');
  writeFileSync(two.file, 'two');
  expect([readFileSync(one.file, 'utf8'), readFileSync(two.file, 'utf8')]).toEqual(['one', 'two']);
  expect(readdirSync(two.dir)).toEqual(['other']);
  expect(statSync(two.file).mode & 0o777).toBe(0o600);
  expect(() => writeFileSync(two.file, Buffer.alloc(MIB))).toThrow('ENOSPC');

  expect(await ramproc('unmount', two.dir)).toEqual({ status: 0, stdout: '', stderr: '' });
  expect(readFileSync(one.file, 'utf8')).toBe('one');
  expect(title(one)).toBe(`ramproc ${one.dir}`);
  expect(await ramproc('unmount', one.dir)).toEqual({ status: 0, stdout: '', stderr: '' });
  await one.ended();
});

test('the first may go before the second', async () => {
  const one = await mount(['--join']);
  await using two = await mount(['--join']);
  writeFileSync(two.file, 'two');
  expect(await ramproc('unmount', one.dir)).toEqual({ status: 0, stdout: '', stderr: '' });
  expect(readFileSync(two.file, 'utf8')).toBe('two');
  expect(runs(two.pid)).toBe(true);
});

test('a mount that has threads takes in others too, and those end with it', async () => {
  const one = await mount();
  const two = await mount(['--join']);
  expect(two.pid).toBe(one.pid);
  process.kill(one.pid, 'SIGTERM');
  await one.ended();
  expect([mountAt(one.dir), mountAt(two.dir)]).toEqual([undefined, undefined]);
});

test.each([[[]], [['--join']]])(
  'a way through a mount of the same process is refused, and not waited for: %j',
  async (options) => {
    await using one = await mount(options);
    const link = `${makeDir('way')}/link`;
    symlinkSync(one.file, link);
    for (const dir of [link, one.file]) {
      expect(await ramproc('mount', '--join', dir)).toEqual({
        status: 32,
        stdout: '',
        stderr: `ramproc: Cannot mount on "${dir}": its way leads through "${one.dir}", which the same process would serve.\n`,
      });
    }
    writeFileSync(one.file, 'served');
  },
);

test('each further mount takes at most 2 MB of memory', async () => {
  const first = await mount();
  const before = resident(first);
  const more: Mount[] = [];
  for (let count = 0; count < 10; count++) more.push(await mount(['--join']));
  for (const { file } of more) {
    writeFileSync(file, 'data');
    expect(readFileSync(file, 'utf8')).toBe('data');
  }
  expect(new Set(more.map(({ pid }) => pid))).toEqual(new Set([first.pid]));
  expect((resident(first) - before) / more.length).toBeLessThan(2_000_000);
  process.kill(first.pid, 'SIGTERM');
  await first.ended();
});

describe('served by the event loop, a file', () => {
  test('is mapped, truncated, copied and read from several places at once as in a thread', async () => {
    await using one = await mount(['--join']);
    const data = Buffer.alloc(3 * MIB, 'ramproc');
    writeFileSync(one.file, data);
    const readers = Array.from({ length: 4 }, () => spawn('cmp', [one.file, '-'], { stdio: 'pipe' }));
    for (const reader of readers) reader.stdin?.end(data);
    const ends = await Promise.all(readers.map((reader) => once(reader, 'exit')));
    expect(ends.map(([status]) => status)).toEqual([0, 0, 0, 0]);
    const fd = must(calls.open(one.file, 2));
    expect(calls.ftruncate(fd, 5)).toBe(0);
    expect(calls.pread(fd, 10, 0)).toEqual(Buffer.from('rampr'));
    calls.close(fd);
    const script = `import mmap; f = open("${one.file}", "r+b"); m = mmap.mmap(f.fileno(), 5); m[0:2] = b"__"; m.flush(); f.seek(0); f.write(b"x"); f.flush(); print(m[:])`;
    const python = spawn('python3', ['-c', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    let said = '';
    python.stdout?.on('data', (text: Buffer) => {
      said += text;
    });
    expect(await once(python, 'close')).toEqual([0, null]);
    expect(said).toBe("b'x_mpr'\n");
  });
});

describe('nobody joins', () => {
  test('a secret', async () => {
    await using secret = await mount(['--secret']);
    await using other = await mount(['--join']);
    expect(other.pid).not.toBe(secret.pid);
  });

  test("another user's", async () => {
    await using nobodys = await mountAsNobody(['--join']);
    await using own = await mount(['--join']);
    expect(own.pid).not.toBe(nobodys.pid);
    const alsoNobodys = await mountAsNobody(['--join']);
    expect(alsoNobodys.pid).toBe(nobodys.pid);
    expect((await ramproc('unmount', alsoNobodys.dir)).stderr).toBe('');
  });

  test('one that sits at a terminal, or has code of others in it', async () => {
    const dir = makeDir('foreground');
    const foreground = startRamproc('mount', dir, '--foreground');
    await expect.poll(() => mountAt(dir)).toBeDefined();
    await using module = await mount([]);
    const file = join(makeDir('module'), 'm.mjs');
    writeFileSync(
      file,
      "import { defineModule } from 'ramproc'; export default defineModule({ name: 'm', init: () => undefined });",
    );
    expect((await ramproc('load', file, module.dir)).stderr).toBe('');
    await using own = await mount(['--join']);
    expect([foreground.pid, module.pid]).not.toContain(own.pid);
    foreground.kill('SIGTERM');
    await foreground.ended;
  });

  test('when it cannot be mounted, which is said, and leaves the others as they are', async () => {
    await using one = await mount(['--join']);
    const { status, stderr } = await ramproc('mount', one.dir, '--join');
    expect([status, stderr]).toEqual([
      32,
      `ramproc: Cannot mount on "${one.dir}": it is mounted already; unmount it first with "ramproc unmount ${one.dir}".\n`,
    ]);
    writeFileSync(one.file, 'data');
    expect(readFileSync(one.file, 'utf8')).toBe('data');
  });
});
