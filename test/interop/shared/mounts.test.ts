import { closeSync, openSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { POLLERR, POLLPRI } from '../../../src/files/poll-events.ts';
import { calls, LOCK_EX, LOCK_NB } from '../../support/calls/index.ts';
import { Client } from '../../support/client.ts';
import { Engine } from '../../support/engine.ts';
import { until } from '../../support/hanging.ts';
import { type Mount, mount, ramproc, run } from '../../support/mount.ts';
import { makeDir } from '../../support/run.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await Engine.start();
});
afterAll(async () => {
  await engine?.[Symbol.asyncDispose]();
});

let keys = 0;
/** Two mounts of a new file. */
async function two(
  ...options: string[]
): Promise<AsyncDisposable & { one: Mount; other: Mount; key: string }> {
  const key = `mounts-${++keys}`;
  const on = ['--on', engine.url, '--key', key, ...options];
  const [one, other] = [await mount(on), await mount(on)];
  return {
    one,
    other,
    key,
    async [Symbol.asyncDispose]() {
      await one[Symbol.asyncDispose]();
      await other[Symbol.asyncDispose]();
    },
  };
}

test('a change elsewhere wakes who polls for it', async () => {
  await using both = await two();
  await using client = await Client.start();
  const fd = Number(await client.sys.open(both.one.file, 0));
  expect(await client.sys.poll(fd, POLLPRI | POLLERR, 0)).toBe(0);
  const waits = client.sys.poll(fd, POLLPRI, 60_000);
  await sleep(100);
  writeFileSync(both.other.file, 'changed');
  expect(Number(await waits) & POLLPRI).toBe(POLLPRI);
});

test('with --io cached a change shows on the other machine', async () => {
  await using both = await two('--io', 'cached');
  for (const text of ['first', 'second', 'other length', '']) {
    writeFileSync(both.one.file, text);
    await until(() => readFileSync(both.other.file, 'latin1') === text, `It does not show ${text}.`);
    expect(statSync(both.other.file).size).toBe(text.length);
  }
});

test('a lock holds on the other machine, is free when its machine is gone, and who lost it learns of it', async () => {
  await using both = await two();
  await using client = await Client.start();
  const mine = openSync(both.one.file, 'r+');
  try {
    const theirs = Number(await client.sys.open(both.other.file, 2));
    expect(calls.flock(mine, LOCK_EX)).toBe(0);
    expect(await client.sys.flock(theirs, LOCK_EX | LOCK_NB)).toBe('EAGAIN');
    process.kill(both.one.pid, 'SIGSTOP');
    const began = performance.now();
    expect(await client.sys.flock(theirs, LOCK_EX)).toBe(0);
    expect(performance.now() - began).toBeLessThan(15_000);
    process.kill(both.one.pid, 'SIGCONT');
    await using writer = await Client.start();
    // The descriptor that had the lock is this process's, whose writes wait for nobody here.
    expect(await writer.sys.stat(both.one.file)).toMatchObject({ size: 0 });
    expect(calls.pwrite(mine, 'x', 0)).toBe('EIO');
    expect(calls.pwrite(mine, 'x', 0)).toBe(1);
  } finally {
    process.kill(both.one.pid, 'SIGCONT');
    closeSync(mine);
  }
});

test('a signal ends no call before it is done', async () => {
  await using both = await two();
  writeFileSync(both.one.file, Buffer.alloc(4 << 20, 'x'));
  const dd = `dd if=${both.one.file} of=/dev/null bs=4096 status=none & p=$!; until grep -q '^SigCgt:.*[2367abef]..$' /proc/$p/status; do :; done; while kill -s USR1 $p 2>/dev/null; do :; done; wait $p`;
  const { status, stderr } = await run('bash', '-c', dd);
  expect(stderr).not.toMatch(/Interrupted/);
  expect(status).toBe(0);
});

test('its password stands nowhere where others look', async () => {
  await using own = await Engine.start('--requirepass hush-hush');
  const file = `${makeDir('password')}/password`;
  writeFileSync(file, 'hush-hush\n');
  await using made = await mount(['--on', own.url, '--key', 'a', '--password-file', file]);
  writeFileSync(made.file, 'data');
  expect(readFileSync(`/proc/${made.pid}/cmdline`, 'latin1')).not.toContain('hush');
  const { stderr } = await ramproc(
    'mount',
    makeDir('no'),
    '--on',
    'redis://user:hush-hush@/nowhere:x',
    '--key',
    'a',
  );
  expect(stderr).toMatch(/^ramproc: Cannot use the URL of "--on": It must be redis:\/\/HOST:PORT/);
  expect(stderr).not.toContain('hush');
});

test.each([
  [
    ['--io', 'passthrough'],
    /--on" and "--io passthrough": the kernel can read and write memory of this machine/,
  ],
  [['--secret'], /--on" and "--secret": the engine has the bytes/],
  [['--from', '/dev/null'], /--on" and "--from"/],
])('%s is refused with a sentence', async (options, sentence) => {
  const { status, stderr } = await ramproc(
    'mount',
    makeDir('no'),
    '--on',
    engine.url,
    '--key',
    'a',
    ...options,
  );
  expect([status, stderr]).toEqual([32, expect.stringMatching(sentence)]);
});
