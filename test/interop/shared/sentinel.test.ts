import { appendFile, readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import type { Surveyed } from '../../../src/daemon/survey.ts';
import { until } from '../../support/hanging.ts';
import { type Mount, mount, ramproc } from '../../support/mount.ts';
import { makeDir } from '../../support/run.ts';
import { Watched } from '../../support/watched.ts';

async function engineOf({ dir }: Mount): Promise<Surveyed['engine']> {
  const all = JSON.parse((await ramproc('list', '--json')).stdout) as Surveyed[];
  return all.find((one) => one.dir === dir)?.engine;
}

test('a mount finds the new primary, while it is written to, and what was completed is there', async () => {
  await using watched = await Watched.start();
  const on = ['--on', watched.url, '--key', 'jobs', '--replicas', '1', '--timeout', '60'];
  await using one = await mount(on);
  await using other = await mount(on);
  const first = await watched.primary();
  expect(await engineOf(one)).toMatchObject({
    url: watched.url,
    at: `127.0.0.1:${first}`,
    state: 'connected',
  });
  const completed: string[] = [];
  const perhaps: string[] = [];
  let isOver = false;
  const append = async ({ file }: Mount, who: string) => {
    for (let i = 0; !isOver; i++) {
      const record = `${who}${i}`;
      const failed = await appendFile(file, `${record}\n`).catch(
        (error: NodeJS.ErrnoException) => error.code,
      );
      if (failed === undefined) completed.push(record);
      else if (failed === 'ETIMEDOUT') perhaps.push(record);
    }
  };
  const appending = Promise.all([append(one, 'a'), append(other, 'b')]);
  for (let i = 0; i < 2; i++) {
    const before = completed.length;
    await until(() => completed.length > before + 20, 'Nothing is appended.');
    await watched.revive(await watched.kill());
  }
  const before = completed.length;
  await until(() => completed.length > before + 20, 'It does not go on.');
  isOver = true;
  await appending;
  const lines = (await readFile(other.file, 'latin1')).split('\n').slice(0, -1);
  const there = new Set(lines);
  expect(there.size).toBe(lines.length);
  expect(completed.filter((record) => !there.has(record))).toEqual([]);
  const known = new Set([...completed, ...perhaps]);
  expect(lines.filter((line) => !known.has(line))).toEqual([]);
  // On a busy machine the sentinels may choose once more.
  await expect
    .poll(async () => {
      const { at, replicas } = (await engineOf(other)) ?? {};
      return { isPrimary: at === `127.0.0.1:${await watched.primary()}`, replicas };
    })
    .toEqual({ isPrimary: true, replicas: { wanted: 1, there: 1 } });
});

test('a sentinel that is stopped keeps nobody from the others', async () => {
  await using stopped = await Watched.start();
  await using watched = await Watched.start();
  stopped.stop();
  const on = watched.url.replace('://', `://${stopped.at},`);
  await using made = await mount(['--on', on, '--key', 'jobs', '--timeout', '2']);
  await appendFile(made.file, 'data');
  expect(await readFile(made.file, 'latin1')).toBe('data');
  const { stderr } = await ramproc(
    ...['mount', makeDir('no'), '--on', stopped.url, '--key', 'jobs', '--timeout', '1'],
  );
  expect(stderr).toMatch(/it did not answer within 1\.0 s; look whether it is stopped or busy/);
});
