import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { appendFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import type { Surveyed } from '../../../src/daemon/survey.ts';
import { pattern } from '../../support/bytes.ts';
import { calls, LOCK_EX, LOCK_NB } from '../../support/calls/index.ts';
import { Client } from '../../support/client.ts';
import { Engine, valkeyServer } from '../../support/engine.ts';
import { until } from '../../support/hanging.ts';
import { mount, ramproc } from '../../support/mount.ts';

if (valkeyServer === undefined)
  console.warn('There is no valkey-server here: shared files are not tested with it.');

test.skipIf(valkeyServer === undefined)('Valkey has a file as Redis has it', async () => {
  await using engine = await Engine.of(valkeyServer ?? '', '--appendonly yes', '--appendfsync always');
  const on = ['--on', engine.url, '--key', 'jobs'];
  await using one = await mount([...on, '-s', '8M']);
  await using other = await mount([...on, '--io', 'cached']);
  const list = JSON.parse((await ramproc('list', '--json')).stdout) as Surveyed[];
  expect(list.find(({ dir }) => dir === one.dir)?.engine).toMatchObject({
    ...{ state: 'connected', version: expect.stringMatching(/^Valkey \d+\./) },
  });
  const bytes = pattern(0, 3_000_000);
  writeFileSync(one.file, bytes);
  await until(() => readFileSync(other.file).equals(bytes), 'It does not show.');
  expect(() => writeFileSync(other.file, Buffer.alloc(9 << 20))).toThrow('ENOSPC');
  writeFileSync(one.file, '');
  const records = (who: string) => Array.from({ length: 100 }, (_, i) => `${who}${i}\n`);
  const append = async (file: string, who: string) => {
    for (const record of records(who)) await appendFile(file, record);
  };
  await Promise.all([append(one.file, 'a'), append(other.file, 'b')]);
  const lines = readFileSync(one.file, 'latin1').match(/.*\n/g);
  expect(lines?.toSorted()).toEqual([...records('a'), ...records('b')].toSorted());

  const mine = openSync(one.file, 'r+');
  try {
    await using client = await Client.start();
    const theirs = Number(await client.sys.open(other.file, 2));
    expect(calls.flock(mine, LOCK_EX)).toBe(0);
    expect(await client.sys.flock(theirs, LOCK_EX | LOCK_NB)).toBe('EAGAIN');
  } finally {
    closeSync(mine);
  }
  await engine.kill();
  const late = appendFile(one.file, 'late\n');
  await engine.run();
  await late;
  await until(() => readFileSync(other.file, 'latin1').endsWith('late\n'), 'It does not go on.');
});
