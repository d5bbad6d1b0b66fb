import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { Surveyed } from '../../../src/daemon/survey.ts';
import { MNT_DETACH, umount2 } from '../../../src/sys/mount.ts';
import { calls, LOCK_EX, LOCK_NB } from '../../support/calls/index.ts';
import { Client } from '../../support/client.ts';
import { Engine, PROGRAM } from '../../support/engine.ts';
import { until } from '../../support/hanging.ts';
import { COMMAND, Mount, mount, ramproc, run } from '../../support/mount.ts';
import { ENGINE, Network } from '../../support/network.ts';
import { makeDir } from '../../support/run.ts';
import { Machine } from '../../support/shared-file.ts';

async function stateOf({ dir }: Mount): Promise<string | undefined> {
  const all = JSON.parse((await ramproc('list', '--json')).stdout) as Surveyed[];
  return all.find((one) => one.dir === dir)?.engine?.state;
}

test('what changed while a machine was cut off is not served from its page cache once it is joined again', async () => {
  using network = new Network(2);
  const words = ['--bind', ENGINE, '--protected-mode', 'no', '--save', '', '--dir', makeDir('engine')];
  const [enter, ...net] = network.on(0);
  const engine: ChildProcess = spawn(enter, [...net, PROGRAM, ...words], { stdio: 'ignore' });
  const all: Mount[] = [];
  try {
    const answers = async () =>
      /PONG/.test((await run(enter, ...net, 'redis-cli', '-h', ENGINE, 'PING')).stdout);
    await until(answers, 'The engine does not answer.');
    for (const machine of [1, 2]) {
      const on = ['--on', `redis://${ENGINE}`, '--key', 'jobs', '--io', 'cached', '--timeout', '1', '--json'];
      const [program, ...own] = network.on(machine);
      const { stdout, stderr } = await run(
        ...([
          program,
          ...own,
          process.execPath,
          COMMAND,
          'mount',
          makeDir(`machine${machine}`),
          ...on,
        ] as const),
      );
      expect(stderr).toBe('');
      all.push(new Mount(JSON.parse(stdout)));
    }
    const [here, there] = all as [Mount, Mount];
    for (let i = 0; i < 3; i++) {
      writeFileSync(here.file, `before ${i}`);
      await until(() => readFileSync(there.file, 'latin1') === `before ${i}`, 'It does not show.');
      network.cut(2, true);
      writeFileSync(here.file, `after ${i}`);
      await until(async () => (await stateOf(there)) === 'not connected', 'It does not notice.');
      network.cut(2, false);
      await until(async () => (await stateOf(there)) === 'connected', 'It does not come back.');
      expect(await readFile(there.file, 'latin1')).toBe(`after ${i}`);
    }
  } finally {
    for (const made of all) await made[Symbol.asyncDispose]();
    engine.kill('SIGKILL');
  }
});

test('a mount that is unmounted while it connects again ends, though it is answered then', async () => {
  await using engine = await Engine.start();
  for (let i = 0; i < 5; i++) {
    await using made = await mount(['--on', engine.url, '--key', 'jobs', '--timeout', '1']);
    engine.stop(true);
    await expect(readFile(made.file)).rejects.toMatchObject({ code: 'EIO' });
    umount2(made.dir, MNT_DETACH);
    // It waits for an answer to its greeting by now, or will.
    await sleep(100 * i);
    engine.stop(false);
    await made.ended();
  }
});

test('a listening connection that is lost alone is made anew, and what was missed is not served', async () => {
  await using engine = await Engine.start();
  const on = ['--on', engine.url, '--key', 'jobs', '--io', 'cached'];
  await using one = await mount(on);
  await using other = await mount(on);
  for (let i = 0; i < 20; i++) {
    writeFileSync(one.file, `before ${i}`);
    await until(() => readFileSync(other.file, 'latin1') === `before ${i}`, 'It does not show.');
    await engine.cli('CLIENT', 'KILL', 'TYPE', 'pubsub');
    writeFileSync(one.file, `after ${i}`);
    await until(() => readFileSync(other.file, 'latin1') === `after ${i}`, 'It is never told.');
  }
});

test('mounts with --recreate make one file together of an engine that has lost theirs, and one without is EIO', async () => {
  await using engine = await Engine.start();
  const options = { on: engine.url, key: 'jobs', maxSize: 1 << 20, timeout: 60_000 };
  await using one = await Machine.start({ ...options, recreate: true });
  await using other = await Machine.start({ ...options, recreate: true });
  await using without = await Machine.start(options);
  for (let i = 0; i < 3; i++) {
    expect(await one.append('before')).toBe(6);
    await engine.kill();
    const writing = [one.append('one'), other.append('two')];
    await engine.run();
    expect(await Promise.all(writing)).toEqual([3, 3]);
    const [text, same] = [String(await one.read(0, 100)), String(await other.read(0, 100))];
    expect(['onetwo', 'twoone']).toContain(text);
    expect(same).toBe(text);
    expect(await without.read(0, 100)).toBe('EIO');
  }
  // Who made it, and who took it.
  for (const { said } of [one, other]) {
    expect(said.filter((sentence) => /there again, empty/.test(sentence)).length).toBe(3);
  }
  expect(without.said.filter((sentence) => /is gone/.test(sentence)).length).toBe(1);
  await using later = await mount(['--on', engine.url, '--key', 'jobs']);
  expect(readFileSync(later.file, 'latin1')).toMatch(/^(onetwo|twoone)$/);
});

test('a lock on a file that was made anew is lost, which its owner learns', async () => {
  await using engine = await Engine.start();
  const on = ['--on', engine.url, '--key', 'jobs', '--recreate'];
  await using one = await mount(on);
  await using other = await mount(on);
  await using client = await Client.start();
  const mine = openSync(one.file, 'r+');
  try {
    const theirs = Number(await client.sys.open(other.file, 2));
    expect(calls.flock(mine, LOCK_EX)).toBe(0);
    expect(await client.sys.flock(theirs, LOCK_EX | LOCK_NB)).toBe('EAGAIN');
    await engine.kill();
    await engine.run();
    await until(async () => (await stateOf(one)) === 'connected', 'It does not come back.');
    expect(await client.sys.flock(theirs, LOCK_EX | LOCK_NB)).toBe(0);
    expect(calls.pwrite(mine, 'x', 0)).toBe('EIO');
    expect(calls.pwrite(mine, 'x', 0)).toBe(1);
  } finally {
    closeSync(mine);
  }
});

test('with --locks local a lock holds on its machine, and the engine knows of none', async () => {
  await using engine = await Engine.start();
  const on = ['--on', engine.url, '--key', 'jobs', '--locks', 'local'];
  await using one = await mount(on);
  await using other = await mount(on);
  await using client = await Client.start();
  await using second = await Client.start();
  const mine = Number(await client.sys.open(one.file, 2));
  expect(await client.sys.flock(mine, LOCK_EX)).toBe(0);
  const here = Number(await second.sys.open(one.file, 2));
  expect(await second.sys.flock(here, LOCK_EX | LOCK_NB)).toBe('EAGAIN');
  const elsewhere = Number(await second.sys.open(other.file, 2));
  expect(await second.sys.flock(elsewhere, LOCK_EX | LOCK_NB)).toBe(0);
  expect(await engine.cli('EXISTS', 'ramproc:{jobs}:locks')).toBe('0');
  const gone = client.sys.exit();
  await expect(gone).rejects.toThrow('SIGKILL');
  expect(await second.sys.flock(here, LOCK_EX)).toBe(0);
});
