import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Surveyed } from '../../src/daemon/survey.ts';
import { umount2 } from '../../src/sys/mount.ts';
import { type Ended, mount, ramproc, run, runs } from '../support/mount.ts';
import { mountAsNobody, NOBODY, ramprocAsNobody } from '../support/nobody.ts';
import { makeDir } from '../support/run.ts';
import { Tree } from './kernel/tree.ts';

/** What is listed of one mount: a run has mounts of others beside it. */
async function listed(at: { readonly dir: string }, list: (...p: string[]) => Promise<Ended> = ramproc) {
  const { status, stdout, stderr } = await list('list', '--json');
  expect([status, stderr]).toEqual([0, '']);
  const all: Surveyed[] = JSON.parse(stdout);
  return all.filter(({ dir }) => dir === at.dir);
}

/** How many columns there are for every mount. */
const COLUMNS = 10;

/** What is in a line of the table, by its heading. */
async function shown(at: { readonly dir: string }): Promise<string[]> {
  const { stdout } = await ramproc('list');
  const line = stdout.split('\n').find((text) => text.startsWith(`${at.dir} `));
  // The column of engines is there where another test's mount has one.
  return line?.split(/ {2,}/).slice(0, COLUMNS) ?? [];
}

test('a mount is listed with what is in it, who serves it, and since when', async () => {
  await using at = await mount(['-s', '1M', '--io', 'cached']);
  writeFileSync(at.file, 'x'.repeat(5000));
  const [one, ...others] = await listed(at);
  expect(others).toEqual([]);
  expect(one).toMatchObject({
    ...{ dir: at.dir, state: 'ok', user: 0, pid: at.pid, transport: 'kernel', io: 'cached' },
    ...{ used: 8192, most: 1 << 20 },
    modules: [{ id: 'rust_proc_ram_file', entries: ['rust-proc-file'] }],
  });
  expect(Date.now() - Date.parse(one?.since ?? '')).toBeLessThan(60_000);
  expect(await shown(at)).toEqual([
    ...[at.dir, 'rust-proc-file', '8 KiB', '1 MiB', 'cached', `${at.pid}`, 'root'],
    ...[expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d$/), 'rust_proc_ram_file', 'ok'],
  ]);
});

describe('the state', () => {
  test('of a secret is said', async () => {
    await using at = await mount(['--secret']);
    expect(await listed(at)).toMatchObject([{ state: 'secret', pid: at.pid }]);
  });

  test.each(['kernel', 'libfuse'])(
    'of a daemon over %s that is stopped, and of a dead one',
    async (transport) => {
      await using at = await mount(['--transport', transport]);
      process.kill(at.pid, 'SIGSTOP');
      expect(await listed(at)).toMatchObject([{ state: 'not answering', pid: at.pid }]);
      process.kill(at.pid, 'SIGKILL');
      await expect.poll(() => runs(at.pid)).toBe(false);
      expect(await listed(at)).toMatchObject([{ state: 'dead' }]);
      expect((await shown(at)).at(-1)).toBe('dead');
    },
  );

  test("of a program's own mount is ok", async () => {
    await using tree = await Tree.mount({ file: {} });
    expect(await listed(tree.mount)).toMatchObject([{ state: 'ok', pid: process.pid, user: 0 }]);
  });

  test('of one that is mounted only in another namespace names a process that is there', async () => {
    await using at = await mount();
    const holder = spawn('unshare', ['-m', 'sh', '-c', 'echo there; exec sleep 60'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    await new Promise((there) => holder.stdout?.once('data', there));
    umount2(at.dir, 0);
    expect(await listed(at)).toMatchObject([
      { state: 'only in another namespace', pid: at.pid, namespace: { command: expect.any(String) } },
    ]);
    holder.kill('SIGKILL');
    await at.ended();
    expect(await listed(at)).toEqual([]);
  });
});

describe('another user', () => {
  test('sees of a mount of root that it is there, and of a dead one no more', async () => {
    await using at = await mount();
    const [one] = await listed(at, ramprocAsNobody);
    expect(one).toMatchObject({ state: 'ok', user: 0, reason: 'only user 0 and root may ask its daemon' });
    expect(one?.modules).toBeUndefined();
    process.kill(at.pid, 'SIGKILL');
    await expect.poll(() => runs(at.pid)).toBe(false);
    expect(await listed(at, ramprocAsNobody)).toMatchObject([{ state: 'unknown', user: 0 }]);
  });

  test('has mounts of which root sees all', async () => {
    await using at = await mountAsNobody();
    for (const list of [ramproc, ramprocAsNobody]) {
      expect(await listed(at, list)).toMatchObject([{ state: 'ok', user: NOBODY, pid: at.pid, used: 0 }]);
    }
  });

  test('leaves a dead mount behind, also where only root may go, and root sees that it is dead', async () => {
    const place = makeDir('place');
    const dir = join(place, 'm');
    mkdirSync(dir);
    await using at = await mountAsNobody([], dir);
    process.kill(at.pid, 'SIGKILL');
    await expect.poll(() => runs(at.pid)).toBe(false);
    for (const mode of [0o755, 0o700]) {
      chmodSync(place, mode);
      expect(await listed(at)).toMatchObject([{ state: 'dead', user: NOBODY }]);
    }
    const { stdout } = await ramproc('doctor');
    expect(stdout).toMatch(new RegExp(`^warn +${at.dir} +its daemon is dead`, 'm'));
  });
});

describe('several files', () => {
  test('are in one directory, each with its size and mode, and df shows the sum', async () => {
    await using at = await mount(['--file', 'a=1M', '--file', 'no=tes:0600=64k', '--file', 'b:c:640']);
    const paths = ['a', 'no=tes', 'b:c'].map((name) => join(at.dir, name));
    for (const path of paths) writeFileSync(path, path);
    expect(paths.map((path) => readFileSync(path, 'utf8'))).toEqual(paths);
    expect(() => writeFileSync(paths[1] ?? '', 'x'.repeat(65537))).toThrow('ENOSPC');
    const [one] = await listed(at);
    const { stdout } = await run('df', '--output=size', '-B1', at.dir);
    expect(Number(stdout.split('\n').at(1))).toBe(one?.most);
    const [a, notes] = one?.modules?.map(({ ram }) => ram) ?? [];
    expect(a).toEqual({ io: 'direct', used: 4096, most: 1 << 20 });
    expect(notes).toEqual({ io: 'direct', used: expect.any(Number), most: 1 << 16 });
    expect(one?.modules?.map(({ id }) => id)).toEqual(
      ['', '#2', '#3'].map((number) => `rust_proc_ram_file${number}`),
    );
  });
});

test('nothing is changed of what is listed, and a directory is shown on one line', async () => {
  const dir = join(makeDir('list'), 'a\nb');
  const made = spawn('mkdir', [dir]);
  await new Promise((end) => made.once('exit', end));
  chmodSync(dir, 0o700);
  await using at = await mount([], dir);
  expect((await ramproc('list')).stdout).toMatch(/a\\nb +rust-proc-file/);
  expect(await listed(at)).toHaveLength(1);
});
