import { chmodSync, cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, expect, test } from 'vitest';
import { mountAt } from '../../src/sys/mountinfo.ts';
import { openDeviceToAll } from '../support/device.ts';
import { COMMAND, type Ended, mount, ramproc, run } from '../support/mount.ts';
import { makeDir } from '../support/run.ts';
import { Tmpfs } from '../support/tmpfs.ts';
import { type Traces, traces } from './traces.ts';

const NOBODY = '65534';

/** Runs `ramproc` as a user who is nobody in particular. */
function ramprocAsNobody(...parameters: readonly string[]): Promise<Ended> {
  const as = ['--reuid', NOBODY, '--regid', NOBODY, '--clear-groups', '--'];
  return run('setpriv', ...as, process.execPath, COMMAND, ...parameters);
}

/** The daemon that couldn't mount says so, and then ends. */
async function expectNothingNew(dir: string, before: Traces): Promise<void> {
  await expect.poll(() => traces(dir)).toEqual(before);
}

/** A directory with things in it that can't be mounted on. */
function makeScene(): string {
  const dir = makeDir('errors');
  for (const name of ['empty', 'full', 'secret']) mkdirSync(`${dir}/${name}`);
  mkdirSync(`${dir}/secret/inner`);
  chmodSync(`${dir}/secret`, 0o700);
  writeFileSync(`${dir}/full/something`, '');
  writeFileSync(`${dir}/file`, '');
  symlinkSync('nowhere', `${dir}/dangling`);
  symlinkSync('circle', `${dir}/circle`);
  return dir;
}

describe('a mount that cannot be is one sentence with the path and the remedy, and leaves nothing behind', () => {
  const long = 'x'.repeat(300);

  test.each([
    [
      'a directory with something in it',
      'full',
      [],
      'it is not empty, .*; choose an empty one or add "-o nonempty"',
    ],
    ['a file', 'file', [], 'it is not a directory; choose one'],
    ['a path through a file', 'file/x', [], 'it is not a directory; choose one'],
    ['a missing path', 'none', [], 'there is no such directory; create it with "mkdir"'],
    ['a link to nowhere', 'dangling', [], 'there is no such directory; create it with "mkdir"'],
    ['a circle of links', 'circle', [], 'its symbolic links lead in a circle; choose another path'],
    ['a name that is too long', long, [], 'its name is too long; choose another path'],
    [
      'passthrough over libfuse',
      'empty',
      ['--transport', 'libfuse', '--io', 'passthrough'],
      'use "--transport kernel"',
    ],
  ])('%s', async (_, name, options, why) => {
    const dir = makeScene();
    const before = traces(dir);
    const { status, stdout, stderr } = await ramproc('mount', `${dir}/${name}`, ...options);
    expect([status, stdout]).toEqual([32, '']);
    expect(stderr).toMatch(
      new RegExp(`^ramproc: Cannot mount (on "${dir}/${name}": |with ).*${why}.*\\.\\n$`),
    );
    await expectNothingNew(dir, before);
  });

  test('over what serves it, which would wait for itself with the next part of it that is loaded', async () => {
    const dir = makeScene();
    const root = dirname(dirname(COMMAND));
    for (const part of ['bin', 'dist/run', 'package.json'])
      cpSync(`${root}/${part}`, `${dir}/own/${part}`, { recursive: true });
    symlinkSync(`${root}/node_modules`, `${dir}/own/node_modules`);
    const before = traces(dir);
    const own = `${dir}/own/bin/ramproc.js`;
    expect(await run(process.execPath, own, 'mount', `${dir}/own`, '-o', 'nonempty')).toEqual({
      status: 32,
      stdout: '',
      stderr: `ramproc: Cannot mount on "${dir}/own": it would hide "${own}", which serves it; choose another directory.\n`,
    });
    await expectNothingNew(dir, before);
  });

  test('an empty path', async () => {
    expect(await ramproc('mount', '')).toEqual({
      status: 32,
      stdout: '',
      stderr: 'ramproc: Cannot mount on "": there is no such directory; create it with "mkdir".\n',
    });
  });

  test('a directory that may not be looked into', async () => {
    using _device = openDeviceToAll();
    const dir = makeScene();
    for (const path of [`${dir}/secret`, `${dir}/secret/inner`]) {
      expect(await ramprocAsNobody('mount', path)).toEqual({
        status: 32,
        stdout: '',
        stderr: `ramproc: Cannot mount on "${path}": permission denied; choose a directory that you may read.\n`,
      });
    }
    await expectNothingNew(dir, { mounted: [], running: [] });
  });

  test('another file system', async () => {
    using tmpfs = new Tmpfs(4096);
    const before = traces(tmpfs.dir);
    expect(await ramproc('mount', tmpfs.dir)).toEqual({
      status: 32,
      stdout: '',
      stderr: `ramproc: Cannot mount on "${tmpfs.dir}": a file system of type tmpfs is mounted on it; choose another directory.\n`,
    });
    await expectNothingNew(tmpfs.dir, before);
  });

  test.each(['kernel', 'libfuse'])(
    'all but one of several mounts on one directory at once (%s)',
    async (transport) => {
      const dir = makeDir('errors');
      const all = await Promise.all(
        [1, 2, 3].map(() => ramproc('mount', dir, '--json', '--transport', transport)),
      );
      const refused = all.filter(({ status }) => status !== 0);
      // Who comes while another mounts is told so, and who comes later that it is mounted.
      const stderr = expect.stringMatching(
        /^ramproc: Cannot mount on ".*": (process \d+ is mounting on it already; wait .*|it is mounted already; unmount it .*)\.\n$/,
      );
      const stdout = expect.stringMatching(/^\{"error":.*"status":32\}\n$/);
      expect(refused).toEqual([1, 2].map(() => ({ status: 32, stdout, stderr })));
      expect(traces(dir).mounted).toHaveLength(1);
      expect(await ramproc('unmount', dir)).toEqual({ status: 0, stdout: '', stderr: '' });
      await expectNothingNew(dir, { mounted: [], running: [] });
    },
  );
});

describe('--log', () => {
  test.each([
    ['that is a directory', 'empty', 'EISDIR, illegal operation on a directory'],
    ['in a directory that is missing', 'none/log', 'ENOENT, no such file or directory'],
  ])('%s: nothing is mounted', async (_, name, why) => {
    const dir = makeScene();
    expect(await ramproc('mount', `${dir}/empty`, '--log', `${dir}/${name}`)).toEqual({
      status: 32,
      stdout: '',
      stderr: `ramproc: Cannot append messages to "${dir}/${name}": ${why}; give --log a file that you may write.\n`,
    });
    await expectNothingNew(dir, { mounted: [], running: [] });
  });

  test.each(['kernel', 'libfuse'])(
    'on a full disk loses messages, and nothing else (%s)',
    async (transport) => {
      using disk = new Tmpfs(4096);
      writeFileSync(`${disk.dir}/log`, 'x'.repeat(4096));
      const options = ['--transport', transport, '--log', `${disk.dir}/log`];
      await using at = await mount(options);
      writeFileSync(at.file, 'hello');
      expect((await run('cat', at.file)).stdout).toBe('hello');
      // Which it tells of.
      process.kill(at.pid, 'SIGTERM');
      await at.ended();
      expect(mountAt(at.dir)).toBeUndefined();
    },
  );
});
