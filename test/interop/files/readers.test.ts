import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:fs';
import { type Caller, procCreate, procCreateSeq, procRemove, WaitQueue } from 'ramproc';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { must } from '../../support/answer.ts';
import { Client } from '../../support/client.ts';
import { until } from '../../support/hanging.ts';
import { run } from '../../support/mount.ts';
import { Tree } from '../kernel/tree.ts';

const { O_RDONLY } = constants;
const READERS = 300;

let client: Client;
beforeAll(async () => {
  client = await Client.start();
});
afterAll(() => client[Symbol.asyncDispose]());

/** A process with many threads, each of which reads a file once. */
function manyReaders(path: string, length: number): ChildProcess {
  const program = `
import os, sys, threading, time
threading.stack_size(256 * 1024)
def read():
    fd = os.open(sys.argv[1], os.O_RDONLY)
    os.read(fd, int(sys.argv[2]))
    time.sleep(1000000)
for _ in range(${READERS}): threading.Thread(target=read).start()`;
  return spawn('python3', ['-c', program, path, `${length}`], { stdio: ['ignore', 'ignore', 'inherit'] });
}

async function kill(process: ChildProcess): Promise<void> {
  const ended = once(process, 'exit');
  process.kill('SIGKILL');
  await ended;
}

/** A file whose readers wait for lines. */
function log(tree: Tree) {
  const lines: string[] = [];
  const queue = new WaitQueue();
  const waiting = new Set<Caller>();
  const entry = procCreate('log', 0o444, tree.root, {
    async read(_file, to, _offset, caller) {
      waiting.add(caller);
      try {
        to.write(Buffer.from(await queue.waitEvent(() => lines.shift(), caller)));
      } finally {
        waiting.delete(caller);
      }
    },
  });
  const say = (line: string) => {
    lines.push(line);
    queue.wake();
  };
  return { entry, waiting, say };
}

describe('readers', () => {
  test('that wait, 300 of them, keep nobody else waiting, and lose no line when they are killed', async () => {
    await using tree = await Tree.mount({ now: { read: (_file, to) => to.write(Buffer.from('now')) } });
    const { waiting, say } = log(tree);
    const readers = manyReaders(tree.path('log'), 100);
    await until(() => waiting.size === READERS, 'They do not wait.');
    const fd = must(await client.sys.open(tree.path('now'), O_RDONLY));
    for (let i = 0; i < 100; i++) expect(must(await client.sys.read(fd, 100)).toString()).toBe('now');
    await client.sys.close(fd);
    await kill(readers);
    await until(() => waiting.size === 0, 'Somebody still waits.');
    const one = must(await client.sys.open(tree.path('log'), O_RDONLY));
    const read = client.sys.read(one, 100);
    await until(() => waiting.size === 1, 'It does not wait.');
    say('the line');
    expect(must(await read).toString()).toBe('the line');
    await client.sys.close(one);
  });

  test('that stop half way, 300 of them, hold no more than they have read, and a row', async () => {
    let made = 0;
    let open = 0;
    await using tree = await Tree.mount({});
    procCreateSeq(
      'rows',
      0o444,
      tree.root,
      function* () {
        open++;
        try {
          for (;;) {
            made++;
            yield 'x'.repeat(99);
          }
        } finally {
          open--;
        }
      },
      (row) => `${row}\n`,
    );
    const readers = manyReaders(tree.path('rows'), 1000);
    await until(() => open === READERS, 'They do not read.');
    await until(() => made >= READERS * 10, 'They do not read.');
    expect(made).toBeLessThanOrEqual(READERS * 11);
    await kill(readers);
    await until(() => open === 0, 'An iterator goes on.');
  });

  test('of a file that is removed go on, those that wait too', async () => {
    await using tree = await Tree.mount({});
    const { entry, waiting, say } = log(tree);
    const fd = must(await client.sys.open(tree.path('log'), O_RDONLY));
    const read = client.sys.read(fd, 100);
    await until(() => waiting.size === 1, 'It does not wait.');
    procRemove(entry);
    say('after it');
    expect(must(await read).toString()).toBe('after it');
    say('and again');
    expect(must(await client.sys.read(fd, 100)).toString()).toBe('and again');
    await client.sys.close(fd);
    await expect.poll(() => client.sys.open(tree.path('log'), O_RDONLY)).toBe('ENOENT');
  });
});

describe('a handler that never answers', () => {
  const never = { read: () => new Promise<void>(() => {}) };

  test('keeps no client from being killed, and its caller is aborted', async () => {
    const signals: AbortSignal[] = [];
    await using tree = await Tree.mount({
      never: {
        read(_file, _to, _offset, { signal }) {
          signals.push(signal);
          return never.read();
        },
      },
    });
    const one = await Client.start();
    const fd = must(await one.sys.open(tree.path('never'), O_RDONLY));
    one.sys.read(fd, 100).catch(() => {});
    await until(() => signals.length === 1, 'It is not called.');
    expect(signals[0]?.aborted).toBe(false);
    await one[Symbol.asyncDispose]();
    await until(() => signals[0]?.aborted ?? false, 'It is not aborted.');
  });

  test.each(['force', 'lazy'] as const)('keeps no tree from being unmounted: %s', async (how) => {
    const signals: AbortSignal[] = [];
    await using tree = await Tree.mount({
      never: {
        read(_file, _to, _offset, { signal }) {
          signals.push(signal);
          return never.read();
        },
      },
    });
    await using one = await Client.start();
    const fd = must(await one.sys.open(tree.path('never'), O_RDONLY));
    const read = one.sys.read(fd, 100).catch(() => 'killed');
    await until(() => signals.length === 1, 'It is not called.');
    await expect(tree.mount.unmount()).rejects.toThrow(/EBUSY/);
    await tree.mount.unmount({ [how]: true });
    expect((await run('ls', tree.dir)).stdout).toBe('');
    if (how === 'force') expect(await read).toMatch(/^(ECONNABORTED|ENOTCONN)$/);
    await one[Symbol.asyncDispose]();
    await tree.mount.closed;
    expect(signals[0]?.aborted).toBe(true);
  });
});
