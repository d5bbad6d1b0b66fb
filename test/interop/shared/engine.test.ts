import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { SharedRamFileOptions } from '../../../src/shared-file/module.ts';
import { Engine } from '../../support/engine.ts';
import { until } from '../../support/hanging.ts';
import { Machine } from '../../support/shared-file.ts';

const MIB = 1 << 20;
const KEY = 'ramproc:{jobs}';

function on(engine: Engine, more: Partial<SharedRamFileOptions> = {}): SharedRamFileOptions {
  return { on: engine.url, key: 'jobs', maxSize: 8 * MIB, timeout: 1500, ...more };
}

/** The sentence with which a mount is refused. */
async function refusal(options: SharedRamFileOptions): Promise<string> {
  try {
    await using machine = await Machine.start(options);
    return `it began: ${machine.said}`;
  } catch (error) {
    return String((error as Error).message);
  }
}

test('appends of two machines, with ends that each knows otherwise, follow each other', async () => {
  await using engine = await Engine.start();
  await using one = await Machine.start(on(engine));
  await using other = await Machine.start(on(engine));
  const records = (who: string) => Array.from({ length: 300 }, (_, i) => `${who}${i}\n`);
  const append = async (machine: Machine, all: string[]) => {
    for (const record of all) expect(await machine.append(record)).toBe(record.length);
  };
  await Promise.all([append(one, records('a')), append(other, records('b'))]);
  const lines = String(await one.read(0, MIB)).match(/.*\n/g) ?? [];
  expect(lines.filter((line) => line.startsWith('a'))).toEqual(records('a'));
  expect(lines.filter((line) => line.startsWith('b'))).toEqual(records('b'));
  expect(lines.length).toBe(600);
});

test('a write that is sent again, for its answer was lost, is done once', async () => {
  await using engine = await Engine.start();
  await using one = await Machine.start(on(engine, { timeout: 20_000 }));
  let isOver = false;
  const cut = async () => {
    while (!isOver) {
      await engine.cli('CLIENT', 'KILL', 'TYPE', 'NORMAL');
      await sleep(5);
    }
  };
  const cutting = cut();
  for (let i = 0; i < 300; i++) expect(await one.append(`${i}\n`)).toBe(`${i}\n`.length);
  isOver = true;
  await cutting;
  expect(String(await one.read(0, MIB))).toBe(Array.from({ length: 300 }, (_, i) => `${i}\n`).join(''));
});

test('an engine that stops is waited for so long, and then it is not known whether a write was done', async () => {
  await using engine = await Engine.start();
  await using one = await Machine.start(on(engine));
  expect(await one.append('before\n')).toBe(7);
  engine.stop(true);
  const began = performance.now();
  const answers = await Promise.all([one.append('lost?\n'), one.read(0, 10), one.stat()]);
  expect(answers).toEqual(['ETIMEDOUT', 'EIO', 'EIO']);
  expect(performance.now() - began).toBeGreaterThan(1400);
  engine.stop(false);
  // What was on its way then comes before, or never: not behind what is written from now on.
  await until(async () => (await one.append('after\n')) === 6, 'It does not go on.');
  const text = String(await one.read(0, 100));
  expect(['before\nafter\n', 'before\nlost?\nafter\n']).toContain(text);
  await sleep(300);
  expect(String(await one.read(0, 100))).toBe(text);
  expect(one.said).toEqual([
    expect.stringMatching(/^The engine at unix:.* cannot be asked/),
    expect.stringMatching(/answers again\.$/),
  ]);
});

test('an engine that is killed and comes back with its data is gone on with', async () => {
  await using engine = await Engine.start('--appendonly yes', '--appendfsync always');
  await using one = await Machine.start(on(engine, { timeout: 20_000 }));
  expect(await one.append('before\n')).toBe(7);
  await engine.kill();
  const late = one.append('meanwhile\n');
  await engine.run();
  expect(await late).toBe(10);
  expect(String(await one.read(0, 100))).toBe('before\nmeanwhile\n');
});

test('an engine that comes back without the file is EIO, until --recreate', async () => {
  await using engine = await Engine.start();
  await using one = await Machine.start(on(engine));
  expect(await one.write(0, 'data')).toBe(4);
  await engine.kill();
  await engine.run();
  await until(
    async () => (await one.read(0, 4)) === 'EIO' && one.said.some((s) => /is gone/.test(s)),
    'It is not gone.',
  );
  expect(await one.write(0, 'x')).toBe('EIO');
  await using other = await Machine.start(on(engine, { recreate: true }));
  expect(await other.write(0, 'new')).toBe(3);
  // Another file under the same name is not the one that it had.
  expect(await one.read(0, 3)).toBe('EIO');
  await engine.kill();
  await engine.run();
  await until(async () => (await other.write(0, 'again')) === 5, 'It is not made again.');
  expect(other.said.some((sentence) => /there again, empty/.test(sentence))).toBe(true);
});

test('what is not ours, and parts that are missing, are EIO and a sentence', async () => {
  await using engine = await Engine.start();
  await using one = await Machine.start(on(engine));
  expect(await one.write(0, Buffer.alloc(2 * MIB, 'x'))).toBe(2 * MIB);
  await engine.cli('DEL', `${KEY}:1`);
  expect(await one.read(MIB, 10)).toBe('EIO');
  expect(await one.write(MIB + 5, 'y')).toBe('EIO');
  expect(String(await one.read(0, 3))).toBe('xxx');
  await engine.cli('SET', `${KEY}:0`, 'foreign');
  expect(await one.read(0, 10)).toBe('EIO');
  await engine.cli('DEL', `${KEY}:0`);
  await engine.cli('HSET', `${KEY}:0`, '\x01', 'short');
  expect(await one.read(4096, 10)).toBe('EIO');
  expect(
    one.said.some((sentence) => /has lost a part of ramproc:\{jobs\}, the MiB number 1,/.test(sentence)),
  ).toBe(true);
  await engine.cli('DEL', KEY);
  await engine.cli('SET', KEY, 'foreign');
  expect(await one.read(0, 10)).toBe('EIO');
  expect(await refusal(on(engine))).toMatch(/FOREIGN|something else/);
});

test('an engine without memory is ENOSPC, and says so', async () => {
  await using engine = await Engine.start('--maxmemory 12mb');
  await using one = await Machine.start(on(engine));
  let answer: unknown = 0;
  for (let at = 0; at < 8 * MIB && typeof answer === 'number'; at += MIB) {
    answer = await one.write(at, Buffer.alloc(MIB, 'x'));
    await engine.cli('SET', `ballast:${at}`, 'x'.repeat(100_000));
  }
  await engine.cli('CONFIG', 'SET', 'maxmemory', '1mb');
  expect(await one.write(0, 'y')).toBe('ENOSPC');
  expect(String(await one.read(0, 1))).toBe('x');
  expect(await one.truncate(100)).toBe(0);
  expect(one.said).toEqual([expect.stringMatching(/is full: it has no more memory; raise its maxmemory/)]);
});

test('what keeps an engine from being used is said with the remedy, and without the password', async () => {
  await using engine = await Engine.start('--requirepass secret');
  expect(await refusal(on(engine))).toMatch(/wants a password; give it by --password-file/);
  expect(await refusal(on(engine, { password: 'wrong-one' }))).toMatch(/knows no such user and password/);
  expect(await refusal(on(engine, { password: 'wrong-one' }))).not.toMatch(/wrong-one/);
  await using own = await Machine.start(on(engine, { password: 'secret' }));
  expect(await own.write(0, 'x')).toBe(1);

  await using evicting = await Engine.start('--maxmemory 100mb', '--maxmemory-policy allkeys-lru');
  expect(await refusal(on(evicting))).toMatch(
    /maxmemory-policy allkeys-lru would drop parts.*CONFIG SET maxmemory-policy noeviction/,
  );
  await using small = await Engine.start('--maxmemory 5mb');
  expect(await refusal(on(small))).toMatch(/has 5 MiB of memory, and a file of --max-size 8 MiB takes up to/);
  await using replica = await Engine.start('--replicaof 127.0.0.1 1');
  expect(await refusal(on(replica))).toMatch(/is a replica, which is not to be written to/);
  expect(await refusal(on(small, { replicas: 1 }))).toMatch(/--replicas 1 is more than the 0 that it has/);
  const nobody = { ...on(small), on: 'unix:///nowhere/socket' };
  expect(await refusal(nobody)).toMatch(/ENOENT, no such file or directory; start it, or correct the URL/);
  await using first = await Machine.start(on(engine, { password: 'secret', key: 'other' }));
  expect(await first.write(0, 'x')).toBe(1);
  expect(await refusal(on(engine, { password: 'secret', key: 'other', maxSize: MIB }))).toMatch(
    /is limited to 8 MiB, for all/,
  );
});
