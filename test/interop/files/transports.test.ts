import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { must } from '../../support/answer.ts';
import { Client } from '../../support/client.ts';
import { until } from '../../support/hanging.ts';
import { run } from '../../support/mount.ts';
import { makeDir } from '../../support/run.ts';
import { readCalls } from './read-calls.ts';

const { O_DIRECTORY, O_RDONLY, O_RDWR } = constants;

describe.each(['kernel', 'libfuse'] as const)('over %s', (transport) => {
  let client: Client;
  let program: ChildProcess;
  let dir: string;
  const said: string[] = [];
  const tell = async (order: object) => {
    const before = said.filter((line) => line === 'done').length;
    program.send(order);
    await until(() => said.filter((line) => line === 'done').length > before, 'It does nothing.');
  };
  beforeAll(async () => {
    client = await Client.start();
    dir = makeDir('files');
    program = fork(join(import.meta.dirname, 'program.mjs'), [dir, transport]);
    program.on('message', (line) => said.push(String(line)));
    await until(() => said.includes('mounted'), 'It does not mount.');
  });
  afterAll(async () => {
    await client[Symbol.asyncDispose]();
    const ended = once(program, 'exit');
    program.kill('SIGTERM');
    expect(await ended).toEqual([null, 'SIGTERM']);
  });

  test.each([
    ['version', '/proc/version'],
    ['devices', '/proc/devices'],
  ])('%s answers as %s does', async (ours, theirs) => {
    const calls = async (path: string) => {
      const all = await readCalls(client, path);
      // Where libfuse knows no request for it, the kernel answers: a file of size 0 has no data, and can't be resized in parts.
      return transport === 'kernel' ? all : all.filter((_, call) => ![16, 17, 20, 23].includes(call));
    };
    expect(await calls(join(dir, ours))).toEqual(await calls(theirs));
  });

  test('a number and a text are set and shown', async () => {
    for (const [name, text, shown] of [
      ['int', ' 0x10\n', '16\n'],
      ['string', 'a b\nc', 'a b\n'],
    ] as const) {
      const fd = must(await client.sys.open(join(dir, name), O_RDWR));
      expect(await client.sys.pwrite(fd, text, 0)).toBe(text.length);
      expect(await client.sys.pread(fd, 100, 0)).toEqual(Buffer.from(shown));
      await client.sys.close(fd);
    }
    expect((await run('sh', '-c', `echo 5 >>${dir}/int; echo 6 >>${dir}/int; cat ${dir}/int`)).stdout).toBe(
      '6\n',
    );
  });

  test('links lead where they say', async () => {
    expect(await client.sys.readlink(join(dir, 'link'))).toBe('jobs/1');
    expect((await run('cat', `${dir}/link/status`)).stdout).toBe('job 1\n');
    expect(await client.sys.readlink(join(dir, 'long'))).toBe('ENAMETOOLONG');
    expect(await client.sys.readlink(join(dir, 'int'))).toBe('EINVAL');
  });

  test('names are looked up and listed, and what is gone is gone', async () => {
    await tell({ add: '2' });
    expect((await run('find', join(dir, 'jobs'), '-type', 'f')).stdout.split('\n').sort()).toEqual([
      '',
      `${dir}/jobs/1/status`,
      `${dir}/jobs/2/status`,
    ]);
    const status = must(await client.sys.open(`${dir}/jobs/2/status`, O_RDONLY));
    const directory = must(await client.sys.open(`${dir}/jobs/2`, O_RDONLY | O_DIRECTORY));
    expect(await client.sys.read(status, 3)).toEqual(Buffer.from('job'));
    await tell({ remove: '2' });
    expect(await client.sys.read(status, 10)).toBe('ESRCH');
    expect(await client.sys.getdents(directory, 4096)).toBe('ENOENT');
    expect(await client.sys.stat(`${dir}/jobs/2`)).toBe('ENOENT');
    expect(await client.sys.stat(`${dir}/jobs/2/status`)).toBe('ENOENT');
    expect(await client.sys.readdir(`${dir}/jobs`)).toEqual(['1']);
    await client.sys.close(status);
    await client.sys.close(directory);
  });

  test('an object is mirrored', async () => {
    expect(
      (await run('sh', '-c', `cd ${dir}/tree; find . -type f | sort; echo 3 >below/two; cat one below/two`))
        .stdout,
    ).toBe('./below/two\n./one\n1\n3\n');
  });

  test('requests are traced', async () => {
    said.length = 0;
    await client.sys.stat(`${dir}/none`);
    const [looksUp, reads] = transport === 'kernel' ? ['LOOKUP', 'READ'] : ['GETATTR', 'READ'];
    await run('cat', `${dir}/int`);
    await expect
      .poll(() => said)
      .toContainEqual(expect.stringMatching(new RegExp(` ${reads} /int size=\\d+ offset=0 = \\d <`)));
    expect(said).toContainEqual(expect.stringMatching(new RegExp(` ${looksUp} /none = ENOENT <`)));
  });
});
