import { readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
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
