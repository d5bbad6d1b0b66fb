import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Statistics } from '../../../src/daemon/control/messages.ts';
import type { Finding } from '../../../src/daemon/doctor.ts';
import type { Surveyed } from '../../../src/daemon/survey.ts';
import { Engine } from '../../support/engine.ts';
import { freePort } from '../../support/free-port.ts';
import { until } from '../../support/hanging.ts';
import { type Mount, mount, ramproc } from '../../support/mount.ts';
import { makeDir } from '../../support/run.ts';

/** What `ramproc list` says of one mount. */
async function listed({ dir }: Mount): Promise<Surveyed> {
  const { stdout } = await ramproc('list', '--json');
  const found = (JSON.parse(stdout) as Surveyed[]).find((one) => one.dir === dir);
  if (found === undefined) throw new Error(`${dir} is not listed.`);
  return found;
}

async function counted({ dir }: Mount): Promise<Statistics> {
  const { status, stdout, stderr } = await ramproc('stats', dir, '--json');
  expect([status, stderr]).toEqual([0, '']);
  return JSON.parse(stdout);
}

/** What `ramproc doctor` says of one thing or more, and its exit status. */
async function doctor(what: string | RegExp, ...options: string[]) {
  const { status, stdout, stderr } = await ramproc('doctor', '--json', ...options);
  expect(stderr).toBe('');
  const all: Finding[] = JSON.parse(stdout);
  return {
    status,
    found: all.filter((one) => (typeof what === 'string' ? one.what === what : what.test(one.what))),
  };
}

test('list, stats and doctor tell of the engine of a mount', async () => {
  const port = await freePort();
  await using engine = await Engine.start(`--port ${port}`);
  await using replica = await Engine.start(`--replicaof 127.0.0.1 ${port}`);
  await until(
    async () => /master_link_status:up/.test(await replica.cli('INFO', 'replication')),
    'The replica does not come.',
  );
  const url = `redis://127.0.0.1:${port}`;
  await using made = await mount([
    '--on',
    url,
    '--key',
    'jobs',
    '--replicas',
    '1',
    '-s',
    '1M',
    '--io',
    'cached',
  ]);
  writeFileSync(made.file, 'x'.repeat(5000));
  const engineIs = {
    ...{ url, key: 'jobs', version: expect.stringMatching(/^(Redis|Valkey) \d/), state: 'connected' },
    ...{ since: expect.stringMatching(/^\d{4}-.*Z$/), roundTrip: expect.any(Number) },
    ...{ replicas: { wanted: 1, there: 1 }, lacks: [] },
  };
  expect(await listed(made)).toMatchObject({
    ...{ state: 'ok', io: 'cached', used: 8192, most: 1 << 20, engine: engineIs },
  });
  expect(await counted(made)).toMatchObject({ used: 8192, most: 1 << 20, engine: engineIs });
  const text = `(Redis|Valkey) [.\\d]+ at ${url}, file "jobs": connected since [-\\d]+ [:\\d]+, round trip [.\\d]+ [mu]?s, replicas 1, 1 wanted`;
  expect((await ramproc('list')).stdout).toMatch(
    new RegExp(`MODULES +STATE +ENGINE\\n(.*\\n)*${made.dir} .* ${text}\n`),
  );
  expect((await ramproc('stats', made.dir)).stdout).toMatch(new RegExp(`^engine: ${text}$`, 'm'));
  expect((await doctor(made.dir)).found).toMatchObject([
    { state: 'ok', found: expect.stringMatching(new RegExp(`^its engine is ${text}$`)) },
  ]);
  const { stdout } = await ramproc('stats', made.dir, '--prometheus');
  for (const [name, value] of [
    ['connected', '1'],
    ['replicas', '1'],
    ['replicas_wanted', '1'],
    ['round_trip_seconds', '[\\d.e-]+'],
  ]) {
    expect(stdout).toMatch(
      new RegExp(
        `^ramproc_engine_${name}\\{dir="${made.dir}",engine="${url}",key="jobs",version="(Redis|Valkey) .*"\\} ${value}$`,
        'm',
      ),
    );
  }
  expect(stdout).toMatch(/^ramproc_used_bytes\{.*\} 8192$/m);

  await replica.kill();
  await engine.cli('CONFIG', 'SET', 'maxmemory', '1gb', 'maxmemory-policy', 'allkeys-lru');
  await until(async () => (await listed(made)).engine?.replicas.there === 0, 'The replica is not missed.');
  expect((await doctor(made.dir)).found.slice(1)).toMatchObject([
    { state: 'warn', remedy: expect.stringMatching(/CONFIG SET maxmemory-policy noeviction/) },
    { state: 'warn', found: '--replicas 1 is more than the 0 that it has' },
  ]);
  expect((await ramproc('stats', made.dir)).stdout).toMatch(
    /^engine: its maxmemory-policy allkeys-lru would drop parts of the file; set it to noeviction/m,
  );
});

test('an engine that is silent, gone, or without the file is said at once', async () => {
  await using engine = await Engine.start();
  // Whoever waited for the engine would wait for all of that.
  const on = ['--on', engine.url, '--key', 'jobs', '-s', '1M', '--timeout', '3000'];
  await using made = await mount(on);
  writeFileSync(made.file, 'data');
  expect(await listed(made)).toMatchObject({ used: 4096, engine: { state: 'connected' } });
  const says = async (state: string, reason: RegExp) => {
    await until(async () => (await counted(made)).engine?.state === state, `It is not ${state}.`);
    const is = {
      state,
      reason: expect.stringMatching(reason),
      version: expect.stringMatching(/^(Redis|Valkey)/),
    };
    // What was heard last is what there is to say.
    expect(await listed(made)).toMatchObject({
      state: 'ok',
      pid: made.pid,
      used: 4096,
      most: 1 << 20,
      engine: is,
    });
    expect((await listed(made)).engine?.roundTrip).toBeUndefined();
    expect((await ramproc('stats', made.dir)).stdout).toMatch(
      new RegExp(`^engine: (Redis|Valkey) .*: ${state} since [-\\d]+ [:\\d]+, ${reason.source}`, 'm'),
    );
    expect((await ramproc('stats', made.dir, '--prometheus')).stdout).toMatch(
      /^ramproc_engine_connected\{.*\} 0$/m,
    );
    const [found, ...others] = (await doctor(made.dir)).found;
    expect([found?.state, others]).toEqual(['warn', []]);
    return found;
  };
  engine.stop(true);
  expect((await says('not answering', /it does not answer/))?.remedy).toBe(
    `"ramproc doctor --on ${engine.url}" says what is in the way`,
  );
  engine.stop(false);
  await until(async () => (await counted(made)).engine?.state === 'connected', 'It is not connected.');
  await engine.kill();
  await says('not connected', /E(CONNREFUSED|NOENT), /);
  await engine.run();
  expect((await says('file lost', /it has lost the file/))?.remedy).toMatch(
    /^unmount it, and mount it again/,
  );
});

test('doctor --on says what would be in the way of a mount, in its words', async () => {
  await using engine = await Engine.start('--requirepass hush-hush');
  const password = `${makeDir('password')}/password`;
  writeFileSync(password, 'hush-hush\n');
  const well = await doctor(/^engine/, '--on', engine.url, '--password-file', password);
  expect(well.status).toBe(0);
  expect(well.found.map(({ what, state }) => [what, state])).toEqual(
    ['', ' version', ' role', ' eviction', ' memory', ' replicas'].map((what) => [`engine${what}`, 'ok']),
  );
  expect(well.found[0]?.found).toMatch(/^it answers within [.\d]+ [mu]?s$/);

  const refused = async (on: string, what: string, ...options: string[]) => {
    const { status, found } = await doctor(/^engine/, '--on', on, ...options);
    const [first, ...others] = found.filter(({ state }) => state === 'FAIL');
    expect([status, first?.what, others]).toEqual([1, what, []]);
    const { stderr } = await ramproc('mount', makeDir('no'), '--on', on, '--key', 'jobs', ...options);
    const words = [first?.found, first?.remedy].filter(Boolean).join('; ');
    expect(stderr).toContain(`Cannot use ${on}: ${words}.\n`);
    return words;
  };
  expect(await refused(engine.url, 'engine')).toMatch(/wants a password; give it by --password-file/);
  writeFileSync(password, 'another\n');
  expect(await refused(engine.url, 'engine', '--password-file', password)).toMatch(
    /no such user and password/,
  );
  expect(readFileSync(password, 'utf8')).toBe('another\n');
  await using replica = await Engine.start('--replicaof 127.0.0.1 1');
  expect(await refused(replica.url, 'engine role')).toMatch(
    /is a replica.* of 127\.0\.0\.1:1; mount on that one/,
  );
  await using evicting = await Engine.start('--maxmemory 100mb', '--maxmemory-policy allkeys-lru');
  expect(await refused(evicting.url, 'engine eviction')).toMatch(/noeviction/);
  expect(await refused('unix:///nowhere/socket', 'engine')).toMatch(/^ENOENT/);
  await using full = await Engine.start('--maxmemory 100kb');
  expect((await doctor('engine memory', '--on', full.url)).found).toMatchObject([
    { state: 'warn', remedy: 'raise its maxmemory, or make files shorter' },
  ]);
  // One that is stopped takes a connection all the same.
  full.stop(true);
  expect(await refused(full.url, 'engine')).toMatch(
    /^it did not answer within 5\.0 s; look whether it is stopped/,
  );
  const { status, stderr } = await ramproc('doctor', '--on', 'redis://user:hush-hush@/nowhere:x');
  expect([status, stderr]).toEqual([
    32,
    expect.stringMatching(/^ramproc: Cannot use the URL of "--on": It must be/),
  ]);
  expect(stderr).not.toContain('hush');
});
