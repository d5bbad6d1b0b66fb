import { constants } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { must } from '../support/answer.ts';
import { isPatternOrHole } from '../support/bytes.ts';
import { calls, SEEK_CUR, SEEK_END, SEEK_SET } from '../support/calls/index.ts';
import { Client } from '../support/client.ts';
import type { Tally } from '../support/loads.ts';
import { type Mount, mount, ramproc } from '../support/mount.ts';

const { O_RDONLY, O_WRONLY, O_RDWR, O_APPEND, O_TRUNC } = constants;

/** What a client's call may end in meanwhile. */
const ALLOWED = ['data', 'ENOENT', 'EBUSY', 'ENOTCONN', 'ENODEV'];

/** Four processes. Disposing the list ends them. */
async function startClients(): Promise<Client[] & AsyncDisposable> {
  const clients = await Promise.all(Array.from({ length: 4 }, () => Client.start()));
  return Object.assign(clients, {
    async [Symbol.asyncDispose]() {
      await Promise.all(clients.map((client) => client[Symbol.asyncDispose]()));
    },
  });
}

/** The tests that the seed article's module has, under the names that it gives them, on every transport. */
describe.each(['kernel', 'libfuse'])("the seed's tests over %s", (transport) => {
  let at: Mount;
  beforeAll(async () => {
    at = await mount(['--transport', transport]);
  });
  afterAll(() => at[Symbol.asyncDispose]());
  beforeEach(() => {
    expect(calls.truncate(at.file, 0)).toBe(0);
  });

  function using<T>(flags: number, use: (fd: number) => T): T {
    const fd = must(calls.open(at.file, flags));
    try {
      return use(fd);
    } finally {
      expect(calls.close(fd)).toBe(0);
    }
  }

  const content = () => using(O_RDONLY, (fd) => must(calls.read(fd, 10_000)).toString());

  test('open options, such as truncation', () => {
    using(O_WRONLY, (fd) => expect(calls.write(fd, 'hello world')).toBe(11));
    using(O_WRONLY, (fd) => expect(calls.write(fd, 'J')).toBe(1));
    expect(content()).toBe('Jello world');
    using(O_WRONLY | O_APPEND, (fd) => expect(calls.write(fd, '!')).toBe(1));
    expect(content()).toBe('Jello world!');
    using(O_WRONLY, (fd) => expect(calls.read(fd, 1)).toBe('EBADF'));
    using(O_RDONLY, (fd) => expect(calls.write(fd, 'x')).toBe('EBADF'));
    using(O_WRONLY | O_TRUNC, (fd) => expect(calls.fstat(fd)).toMatchObject({ size: 0, blocks: 0 }));
    expect(content()).toBe('');
  });

  test('read and write', () => {
    using(O_RDWR, (fd) => {
      expect(calls.read(fd, 100)).toHaveLength(0);
      expect(calls.write(fd, 'hello ')).toBe(6);
      expect(calls.write(fd, 'world')).toBe(5);
    });
    using(O_RDONLY, (fd) => {
      expect(String(calls.read(fd, 8))).toBe('hello wo');
      expect(String(calls.read(fd, 8))).toBe('rld');
      expect(calls.read(fd, 8)).toHaveLength(0);
    });
  });

  test('write, seek and read', () => {
    using(O_RDWR, (fd) => {
      expect(calls.write(fd, '0123456789')).toBe(10);
      expect(calls.lseek(fd, 3, SEEK_SET)).toBe(3);
      expect(String(calls.read(fd, 2))).toBe('34');
      expect(calls.lseek(fd, 2, SEEK_CUR)).toBe(7);
      expect(String(calls.read(fd, 2))).toBe('78');
      expect(calls.lseek(fd, -4, SEEK_END)).toBe(6);
      expect(String(calls.read(fd, 100))).toBe('6789');
      expect(calls.lseek(fd, -11, SEEK_END)).toBe('EINVAL');
      expect(calls.lseek(fd, 0, 99)).toBe('EINVAL');
    });
  });

  test('write, seek and overwrite', () => {
    using(O_RDWR, (fd) => {
      expect(calls.write(fd, '0123456789')).toBe(10);
      expect(calls.lseek(fd, 4, SEEK_SET)).toBe(4);
      expect(calls.write(fd, 'abc')).toBe(3);
      expect(calls.lseek(fd, 2, SEEK_END)).toBe(12);
      expect(calls.write(fd, 'end')).toBe(3);
    });
    expect(content()).toBe('0123abc789\0\0end');
  });

  test('concurrent writes, then a read', async () => {
    await using clients = await startClients();
    const tallies = await Promise.all(clients.map(({ sys }) => sys.writePattern(at.file, 500)));
    for (const tally of tallies) expect(Object.keys(tally)).toEqual(['data']);
    const size = must(calls.stat(at.file)).size;
    expect(size).toBeGreaterThan(0);
    const bytes = using(O_RDONLY, (fd) => must(calls.pread(fd, size, 0)));
    expect(isPatternOrHole(bytes, 0)).toBe(true);
  });
});

describe.each([
  ['kernel', 25],
  ['libfuse', 2],
])("the seed's test of its life over %s", (transport, losses) => {
  test(`concurrent writes while the module is unloaded and loaded again, until each client has lost it ${losses} times`, async () => {
    const options = ['--transport', transport];
    let at = await mount(options);
    const { dir, file } = at;
    const old: Mount[] = [];
    await using clients = await startClients();
    const loads = clients.map(({ sys }, i) =>
      i % 2 === 0 ? sys.reopenAndUse(file, { losses }) : sys.openAndUse(file, { losses }),
    );
    let isOver = false;
    const done = Promise.all(loads).finally(() => {
      isOver = true;
    });
    done.catch(() => {});
    // A call that hangs keeps its client from ending, and so the test.
    while (!isOver) {
      await sleep(100);
      expect(await ramproc('unmount', '--force', dir)).toEqual({ status: 0, stdout: '', stderr: '' });
      expect(calls.readdir(dir)).toEqual([]);
      old.push(at);
      at = await mount(options, dir);
    }
    const tallies = await done;
    const total: Tally = {};
    for (const [outcome, count] of tallies.flatMap((tally) => Object.entries(tally))) {
      total[outcome] = (total[outcome] ?? 0) + count;
    }
    console.log(`${transport}: unloaded ${old.length} times, calls ended in`, total);
    expect(Object.keys(total).filter((outcome) => !ALLOWED.includes(outcome))).toEqual([]);
    for (const tally of tallies)
      expect(tally).toMatchObject({ data: expect.any(Number), ENOENT: expect.any(Number) });
    expect(old.length).toBeGreaterThanOrEqual(losses);
    await at[Symbol.asyncDispose]();
    for (const one of old) await one.ended();
    expect(calls.readdir(dir)).toEqual([]);
  });
});
