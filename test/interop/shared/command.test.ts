import { readFileSync, statfsSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { pattern } from '../../support/bytes.ts';
import { Engine } from '../../support/engine.ts';
import { mount, ramproc } from '../../support/mount.ts';
import { makeDir } from '../../support/run.ts';

test('ramproc shared loads, lists, saves and removes', async () => {
  await using engine = await Engine.start();
  const shared = (command: string, ...more: string[]) =>
    ramproc('shared', command, '--on', engine.url, ...more);
  const dir = makeDir('shared');
  const [source, copy] = [join(dir, 'source'), join(dir, 'copy')];
  writeFileSync(source, pattern(0, 3_000_000));
  truncateSync(source, 20_000_001);
  expect(await shared('load', '--key', 'jobs', '-s', '64M', source)).toEqual({
    status: 0,
    stdout: '',
    stderr: '',
  });
  await using made = await mount(['--on', engine.url, '--key', 'jobs']);
  expect(readFileSync(made.file).equals(readFileSync(source))).toBe(true);
  const [listed] = JSON.parse((await shared('list', '--json')).stdout);
  expect(listed).toMatchObject({
    key: 'jobs',
    size: 20_000_001,
    maxSize: 64 << 20,
    users: [{ dir: made.dir, pid: made.pid }],
  });
  expect(listed.used).toBeLessThan(4 << 20);
  expect((await shared('list')).stdout).toMatch(/^KEY .*\njobs .*:\//);
  expect((await shared('save', '--key', 'jobs', copy)).status).toBe(0);
  expect(readFileSync(copy).equals(readFileSync(source))).toBe(true);
  expect(statSync(copy).blocks * 512).toBeLessThan(5 << 20);

  expect(await shared('remove', '--key', 'jobs')).toMatchObject({
    status: 32,
    stderr: expect.stringMatching(
      /^ramproc: Cannot remove "jobs": it is mounted on .*; unmount it there, or add --confirm jobs\.\n$/,
    ),
  });
  expect((await shared('remove', '--key', 'jobs', '--confirm', 'other')).status).toBe(32);
  expect((await shared('remove', '--key', 'jobs', '--confirm', 'jobs')).status).toBe(0);
  expect((await shared('list')).stdout).toBe('');
  expect(() => readFileSync(made.file)).toThrow(/EIO/);
  expect((await shared('save', '--key', 'jobs', copy)).stderr).toMatch(/there is no file "jobs" at unix:/);
  expect(await ramproc('shared', 'list')).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/"--on URL" is missing/),
  });
});

test('ramproc remount changes the most that a shared file may take, and its mode, for all who have it', async () => {
  await using engine = await Engine.start();
  const on = ['--on', engine.url, '--key', 'jobs'];
  await using one = await mount([...on, '-s', '1M']);
  await using two = await mount(on);
  writeFileSync(one.file, Buffer.alloc(1 << 20, 1));
  expect(() => writeFileSync(two.file, Buffer.alloc(2 << 20, 1))).toThrow('ENOSPC');
  const done = { status: 0, stdout: '', stderr: '' };
  expect(await ramproc('remount', one.dir, ...on, '-s', '2M', '-m', '0640')).toEqual(done);
  writeFileSync(two.file, Buffer.alloc(2 << 20, 2));
  expect(statSync(two.file).mode & 0o777).toBe(0o640);
  const most = ({ dir }: { dir: string }) => statfsSync(dir).blocks * statfsSync(dir).bsize;
  expect([most(one), most(two)]).toEqual([2 << 20, 2 << 20]);
  expect((await ramproc('remount', two.dir, '-s', '1M')).stderr).toBe(
    `ramproc: Cannot remount "${two.dir}": "rust-proc-file" takes more than that now; make the file smaller first, or say more.\n`,
  );
  expect((await ramproc('remount', two.dir, '--key', 'other')).stderr).toMatch(
    /: "--key other" can't be while it is mounted, where it is jobs; /,
  );
  expect(readFileSync(one.file).every((byte) => byte === 2)).toBe(true);
});
