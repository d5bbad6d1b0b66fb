import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, test } from 'vitest';
import { mountAt } from '../../../src/sys/mountinfo.ts';
import { must } from '../../support/answer.ts';
import { Client } from '../../support/client.ts';
import { makeDir, runDir } from '../../support/run.ts';

const PROGRAM = join(import.meta.dirname, 'ending-program.mjs');

/** A program that has mounted a directory, and a client that waits for a read there which is never answered. */
async function start(...parameters: string[]) {
  runDir();
  const dir = makeDir('ending');
  const program: ChildProcess = spawn(process.execPath, [PROGRAM, dir, ...parameters], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const ended = once(program, 'exit');
  const lines = createInterface(program.stdout as NodeJS.ReadableStream);
  const said: string[] = [];
  lines.on('line', (line) => said.push(line));
  const says = (word: string) => expect.poll(() => said).toContain(word);
  await says('mounted');
  const client = await Client.start();
  const fd = must(await client.sys.open(join(dir, 'hangs'), constants.O_RDONLY));
  const read = client.sys.read(fd, 10);
  read.catch(() => {});
  return {
    dir,
    program,
    ended,
    says,
    read,
    tell: (line: string) => program.stdin?.write(`${line}\n`),
    [Symbol.asyncDispose]: async () => {
      program.kill('SIGKILL');
      await client[Symbol.asyncDispose]();
    },
  };
}

/** What a call gets whose daemon is gone (fuse_abort_conn), or that is made afterwards. */
const GONE = expect.stringMatching(/^(ECONNABORTED|ENOTCONN)$/);

describe('the end of the program is the end of its mount, and of every call on it', () => {
  test.each([
    ['exit', 0],
    ['exception', 1],
    ['rejection', 1],
    ['unref', 0],
  ])('by %s', async (how, status) => {
    await using it = await start();
    it.tell(how);
    expect(await it.read).toEqual(GONE);
    expect(await it.ended).toEqual([status, null]);
    expect(mountAt(it.dir)).toBeUndefined();
  });

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('by %s, without a handler', async (signal) => {
    await using it = await start();
    it.program.kill(signal);
    expect(await it.read).toEqual(GONE);
    expect(await it.ended).toEqual([null, signal]);
    expect(mountAt(it.dir)).toBeUndefined();
  });

  test.each(['terminate', 'exit'])('which a worker made, by %s', async (how) => {
    await using it = await start('in-worker');
    it.tell(how);
    expect(await it.read).toEqual(GONE);
    if (how === 'terminate') await it.says('terminated');
    await expect.poll(() => mountAt(it.dir)).toBeUndefined();
    it.tell('exit');
    expect(await it.ended).toEqual([0, null]);
  });
});

test('SIGKILL leaves a dead mount, and its calls end', async () => {
  await using it = await start();
  it.program.kill('SIGKILL');
  expect(await it.read).toEqual(GONE);
  expect(mountAt(it.dir)).toBeDefined();
  const { umount2, MNT_DETACH } = await import('../../../src/sys/mount.ts');
  umount2(it.dir, MNT_DETACH);
});

test('a mount keeps its program alive until it is unmounted', async () => {
  await using it = await start();
  let ended = false;
  it.ended.then(() => {
    ended = true;
  });
  await new Promise((later) => setTimeout(later, 300));
  expect(ended).toBe(false);
  it.tell('unmount');
  await expect.poll(() => mountAt(it.dir)).toBeUndefined();
});
