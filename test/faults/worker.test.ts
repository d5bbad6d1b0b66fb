import { constants, readdirSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mountAt } from '../../src/sys/mountinfo.ts';
import { must } from '../support/answer.ts';
import { Cgroup } from '../support/cgroup.ts';
import { Client } from '../support/client.ts';
import { Program } from '../support/program.ts';
import { hasUring, withUring } from '../support/uring.ts';
import type { Act } from './worker-handler.ts';

const PROGRAM = join(import.meta.dirname, 'worker-program.ts');

let client: Client;
beforeAll(async () => {
  client = await Client.start();
});
afterAll(() => client[Symbol.asyncDispose]());

/** What read(2) answers on the file that does `act` in a worker. */
async function read(program: Program, act: Act | 'here'): Promise<unknown> {
  const fd = must(await client.sys.open(join(program.dir, act), constants.O_RDONLY));
  const answer = await client.sys.read(fd, 4096);
  await client.sys.close(fd);
  return typeof answer === 'string' ? answer : answer.length;
}

/** What requests can come by on this machine. */
const channels = hasUring ? ['device', 'uring'] : ['device'];

function start(threads: number, channel: string): Promise<Program> {
  const starting = () => Program.start(PROGRAM, String(threads), channel);
  return channel === 'uring' ? withUring(starting) : starting();
}

function threadsOf({ pid }: Program): number {
  return readdirSync(`/proc/${pid}/task`).length;
}

/**
 * Has long requests come one upon the other, for which the first worker calls others, until something is so; by default, until as many
 * workers have served.
 */
async function keepBusy(program: Program, until: number | (() => boolean)): Promise<void> {
  const served = new Set<number>();
  const isSo = () => (typeof until === 'number' ? served.size === until : until());
  const files = await Promise.all(Array.from({ length: 4 }, () => open(join(program.dir, 'counts'))));
  const long = (file: FileHandle) => file.read(Buffer.alloc(1 << 20), 0, 1 << 20, null);
  try {
    while (!isSo()) {
      for (const { bytesRead } of await Promise.all(files.map(long))) served.add(bytesRead);
    }
  } finally {
    await Promise.allSettled(files.map((file) => file.close()));
  }
}

describe.each(channels.flatMap((channel) => [1, 3].map((threads) => [threads, channel] as const)))(
  'with %i workers by %s',
  (threads, channel) => {
    test.each(['throws', 'promises', 'lies', 'recurses'] as const)(
      'a read that %s is EIO, and its worker lives',
      async (act) => {
        await using program = await start(threads, channel);
        expect(await read(program, 'works')).toBe(0);
        const before = threadsOf(program);
        for (let i = 0; i < 20; i++) expect(await read(program, act)).toBe('EIO');
        expect(await read(program, 'works')).toBe(0);
        expect(await read(program, 'here')).toBe(0);
        expect(threadsOf(program)).toBe(before);
        // Each error is told, though a worker is never on its event loop.
        expect(program.said.split('\n').filter((line) => /^\w*Error: /.test(line))).toHaveLength(20);
        expect(program.said).not.toContain('takes its place');
      },
    );

    test('a read that ends its worker is EIO, and another worker takes its place', async () => {
      await using program = await start(threads, channel);
      expect(await read(program, 'works')).toBe(0);
      const before = threadsOf(program);
      for (let i = 0; i < 5; i++) {
        expect(await read(program, 'exits')).toBe('EIO');
        expect(await read(program, 'works')).toBe(0);
        expect(await read(program, 'here')).toBe(0);
      }
      await expect.poll(() => threadsOf(program)).toBe(before);
      expect(
        program.said.match(/^ramproc: a worker ended \(.*\); another takes its place\.$/gm),
      ).toHaveLength(5);
    });
  },
);

test.each(channels)(
  'a worker by %s that runs out of memory is replaced, and its request is EIO',
  async (channel) => {
    await using program = await start(2, channel);
    expect(await read(program, 'works')).toBe(0);
    expect(await read(program, 'allocates')).toBe('EIO');
    expect(await read(program, 'works')).toBe(0);
    expect(await read(program, 'here')).toBe(0);
    expect(program.said).toMatch(/^ramproc: a worker ended \(.*memory.*\); another takes its place\.$/m);
  },
);

test('further workers are there once long requests come one upon the other, and not before', async () => {
  await using program = await start(3, 'device');
  const before = threadsOf(program);
  for (let i = 0; i < 20; i++) expect(await read(program, 'works')).toBe(0);
  expect(threadsOf(program)).toBe(before);
  await keepBusy(program, 3);
  expect(await read(program, 'works')).toBe(0);
});

test('a further worker that cannot be had is said, and the first one goes on alone', async () => {
  await using pids = new Cgroup('pids');
  await using program = await start(2, 'device');
  pids.add(program.pid);
  pids.set('pids.max', 1);
  const said = /^ramproc: no further worker can be started \(.*EAGAIN.*\); .* one thread less\.$/m;
  await keepBusy(program, () => said.test(program.said));
  expect(await read(program, 'works')).toBe(0);
  expect(await read(program, 'here')).toBe(0);
});

describe.each(channels)('a worker by %s that cannot be replaced', (channel) => {
  test.each([1, 2])('ends the session of %i with a message, and no call hangs', async (threads) => {
    await using pids = new Cgroup('pids');
    await using program = await start(threads, channel);
    const holder = must(await client.sys.open(join(program.dir, 'works'), constants.O_RDONLY));
    expect(await client.sys.read(holder, 10)).toHaveLength(0);
    if (channel === 'device' && threads > 1) await keepBusy(program, threads);
    pids.add(program.pid);
    pids.set('pids.max', 1);

    // An answer to what came by a ring is for the ring's thread to hand over.
    expect(await read(program, 'exits')).toBe(channel === 'device' ? 'EIO' : 'ECONNABORTED');
    await expect.poll(() => mountAt(program.dir)).toBeUndefined();
    // Who has a file open is served by the workers that are left, but for rings: nobody is left for the queues of one.
    const isServed = threads > 1 && channel === 'device';
    const answer = await client.sys.read(holder, 10);
    if (isServed) expect(answer).toEqual(Buffer.alloc(0));
    // ECONNABORTED: it came before the connection ended.
    else expect(answer).toMatch(/^(ENOTCONN|ECONNABORTED)$/);
    await client.sys.close(holder);
    expect(await program.ended).not.toBe(0);
    expect(program.said).toMatch(/Error: Cannot go on serving ".*": .*EAGAIN/);
  });
});
