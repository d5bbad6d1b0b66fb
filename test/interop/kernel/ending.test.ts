import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, constants } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TreeMountOptions } from 'ramproc';
import { describe, expect, test } from 'vitest';
import { mountAt } from '../../../src/sys/mountinfo.ts';
import { must } from '../../support/answer.ts';
import { Client } from '../../support/client.ts';
import { openDeviceToAll } from '../../support/device.ts';
import { NOBODY } from '../../support/nobody.ts';
import { makeDir, runDir } from '../../support/run.ts';

const PROJECT = join(import.meta.dirname, '../../..');
const PROGRAM = join(import.meta.dirname, 'ending-program.mjs');

interface Way {
  readonly uid?: number;
  readonly options?: TreeMountOptions;
  readonly inWorker?: boolean;
}

/** A program that has mounted a directory, and a client that waits for a read there which is never answered. */
async function start({ uid = 0, options = {}, inWorker = false }: Way = {}) {
  runDir();
  using _device = openDeviceToAll();
  const dir = makeDir('ending');
  chownSync(dir, uid, uid);
  const parameters = [PROGRAM, dir, JSON.stringify(options), inWorker ? 'in-worker' : 'here'];
  const program: ChildProcess = spawn(process.execPath, parameters, {
    stdio: ['pipe', 'pipe', 'pipe'],
    ...(uid === 0 ? {} : { uid, gid: uid }),
  });
  const ended = once(program, 'exit');
  const lines = createInterface(program.stdout as NodeJS.ReadableStream);
  const said: string[] = [];
  lines.on('line', (line) => said.push(line));
  const says = (word: string) => expect.poll(() => said).toContain(word);
  await says('mounted');
  const client = await Client.start(uid);
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

describe.each([
  { who: 'root', uid: 0, transport: 'kernel' },
  { who: 'root', uid: 0, transport: 'libfuse' },
  { who: 'nobody', uid: NOBODY, transport: 'kernel' },
  { who: 'nobody', uid: NOBODY, transport: 'libfuse' },
] as const)('the end of the program of $who, over $transport', ({ uid, transport }) => {
  describe('is the end of its mount, and of every call on it,', () => {
    test.each([
      ['exit', 0],
      ['exception', 1],
      ['rejection', 1],
    ])('by %s', async (how, status) => {
      await using it = await start({ uid, options: { transport } });
      it.tell(how);
      expect(await it.read).toEqual(GONE);
      expect(await it.ended).toEqual([status, null]);
      expect(mountAt(it.dir)).toBeUndefined();
    });

    test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('by %s, without a handler', async (signal) => {
      await using it = await start({ uid, options: { transport } });
      it.program.kill(signal);
      expect(await it.read).toEqual(GONE);
      expect(await it.ended).toEqual([null, signal]);
      expect(mountAt(it.dir)).toBeUndefined();
    });
  });

  test('by SIGKILL leaves a dead mount, or none with autoUnmount, and its calls end', async () => {
    for (const autoUnmount of [false, true]) {
      await using it = await start({ uid, options: { transport, autoUnmount } });
      it.program.kill('SIGKILL');
      expect(await it.read).toEqual(GONE);
      if (autoUnmount) await expect.poll(() => mountAt(it.dir)).toBeUndefined();
      else {
        expect(mountAt(it.dir)).toBeDefined();
        const { umount2, MNT_DETACH } = await import('../../../src/sys/mount.ts');
        umount2(it.dir, MNT_DETACH);
      }
    }
  });
});

test.each(['SIGINT', 'SIGTERM'] as const)(
  '%s while a program still mounts ends it, and leaves nothing mounted',
  async (signal) => {
    const dir = makeDir('ending');
    // It is mounted a moment before its workers are ready, and mount() resolves.
    const program = `import { readFileSync } from 'node:fs';
      import { mount, procRoot } from 'ramproc';
      const dir = ${JSON.stringify(dir)};
      mount(procRoot, dir);
      const look = () => {
        if (!readFileSync('/proc/self/mountinfo', 'utf8').includes(dir)) setImmediate(look);
        else process.kill(process.pid, '${signal}');
      };
      look();`;
    const parameters = ['--input-type=module', '--eval', program];
    const child = spawn(process.execPath, parameters, { cwd: PROJECT, stdio: 'inherit' });
    expect(await once(child, 'exit')).toEqual([null, signal]);
    expect(mountAt(dir)).toBeUndefined();
  },
);

describe('a mount', () => {
  test.each(['terminate', 'exit'])('that a worker made ends with it, by %s', async (how) => {
    await using it = await start({ inWorker: true });
    it.tell(how);
    expect(await it.read).toEqual(GONE);
    if (how === 'terminate') await it.says('terminated');
    await expect.poll(() => mountAt(it.dir)).toBeUndefined();
    // By then "exit" has ended the program, which reads no further line.
    if (how === 'terminate') it.tell('exit');
    expect(await it.ended).toEqual([0, null]);
  });

  test('keeps its program alive until it is unmounted', async () => {
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

  test('lets its program end once it is unreferenced, which ends the mount', async () => {
    await using it = await start();
    it.tell('unref');
    expect(await it.read).toEqual(GONE);
    expect(await it.ended).toEqual([0, null]);
    expect(mountAt(it.dir)).toBeUndefined();
  });

  test.each([0, NOBODY])(
    'of user %i is unmounted by force from under who waits, and once more without an error',
    async (uid) => {
      await using it = await start({ uid });
      it.tell('force');
      expect(await it.read).toEqual(GONE);
      expect(await it.ended).toEqual([0, null]);
      expect(mountAt(it.dir)).toBeUndefined();
    },
  );
});
