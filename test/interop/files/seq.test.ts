import { constants, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Errno, procCreateSeq } from 'ramproc';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { must } from '../../support/answer.ts';
import { Client } from '../../support/client.ts';
import { until } from '../../support/hanging.ts';
import { run } from '../../support/mount.ts';
import { Tree } from '../kernel/tree.ts';
import { readCalls } from './read-calls.ts';

const { O_RDONLY } = constants;

let client: Client;
beforeAll(async () => {
  client = await Client.start();
});
afterAll(() => client[Symbol.asyncDispose]());

/** A file of the kernel's seq_file with a few lines, which stay the same. */
const DEVICES = '/proc/devices';
const lines = readFileSync(DEVICES, 'utf8').match(/.*\n/g) ?? [];

/** Rows later, as a database gives them. */
async function* later<T>(rows: Iterable<T>): AsyncGenerator<T> {
  for (const row of rows) {
    await undefined;
    yield row;
  }
}

const text = (line: string) => line;

describe('a file of rows', () => {
  test.each([
    ['at once', () => lines],
    ['later', () => later(lines)],
  ])('answers as /proc/devices does, given its lines %s', async (_, start) => {
    await using tree = await Tree.mount({});
    procCreateSeq('devices', 0o444, tree.root, start, text);
    expect(await readCalls(client, tree.path('devices'))).toEqual(await readCalls(client, DEVICES));
  });

  test.each([
    ['cat'],
    ['head', '-n', '3'],
    ['head', '-c', '9'],
    ['head', '-c', '-9'],
    ['tail', '-n', '3'],
    ['tail', '-c', '9'],
    ['tail', '-n', '+3'],
    ['grep', '-c', 'mem'],
    ['dd', 'bs=3', 'status=none', 'if=/dev/stdin'],
    ['dd', 'bs=7', 'skip=3', 'status=none', 'if=/dev/stdin'],
    ['wc', '-c'],
    ['python3', '-c', 'import sys; f = open(0); print(f.readline(), f.tell(), f.seek(4), f.read())'],
  ])('is to %s %s %s what /proc/devices is', async (program, ...parameters) => {
    await using tree = await Tree.mount({});
    procCreateSeq('devices', 0o444, tree.root, () => later(lines), text);
    const through = (path: string) => run('sh', '-c', '"$@" <"$0"', path, program, ...parameters);
    expect(await through(tree.path('devices'))).toEqual(await through(DEVICES));
  });

  test('of very many rows is made as it is read, and no further', async () => {
    const ROWS = 200_000;
    let made = 0;
    let open = 0;
    await using tree = await Tree.mount({});
    procCreateSeq(
      'numbers',
      0o444,
      tree.root,
      async function* () {
        open++;
        try {
          for (made = 1; made <= ROWS; made++) yield made;
        } finally {
          open--;
        }
      },
      (row) => `${row}\n`,
    );
    const path = tree.path('numbers');
    expect((await run('sh', '-c', `seq 1 ${ROWS} | cmp - ${path} && wc -l <${path}`)).stdout).toBe(
      `${ROWS}\n`,
    );
    expect((await run('head', '-n', '1000', path)).stdout.split('\n')[999]).toBe('1000');
    // What one read(2) of head asks for, and a row more.
    expect(made).toBeLessThan(128 * 1024);
    await until(() => open === 0, 'An iterator goes on.');
    expect(
      (await run('sh', '-c', `tail -n 1 ${path}; dd if=${path} bs=1M skip=1 count=1 status=none | head -c 9`))
        .stdout,
    ).toBe(
      `${ROWS}\n${(await run('sh', '-c', `seq 1 ${ROWS} | tail -c +${2 ** 20 + 1} | head -c 9`)).stdout}`,
    );
  });

  test('begins anew for each who opens it, and for who goes back', async () => {
    let runs = 0;
    await using tree = await Tree.mount({});
    procCreateSeq(
      'runs',
      0o444,
      tree.root,
      () => {
        const mine = ++runs;
        return ['a', 'b', 'c'].map((row) => `${row}${mine} `);
      },
      text,
    );
    const fd = must(await client.sys.open(tree.path('runs'), O_RDONLY));
    const at = async (offset: number, length: number) =>
      Buffer.from(must(await client.sys.pread(fd, length, offset))).toString();
    expect(await at(0, 4)).toBe('a1 b');
    expect(await at(4, 2)).toBe('1 ');
    expect(await at(7, 9)).toBe('1 ');
    expect(await at(9, 9)).toBe('');
    expect(runs).toBe(1);
    expect(await at(3, 3)).toBe('b2 ');
    expect(await at(0, 3)).toBe('a3 ');
    expect(await at(0, 3)).toBe('a4 ');
    await client.sys.close(fd);
  });

  test('may have rows without text, empty ones and large ones', async () => {
    const rows = ['', 'one\n', '', 'x'.repeat(300_000), new Uint8Array(), Buffer.from('end\n'), ''];
    await using tree = await Tree.mount({});
    procCreateSeq(
      'odd',
      0o444,
      tree.root,
      () => rows,
      (row) => row,
    );
    procCreateSeq('empty', 0o444, tree.root, () => [], text);
    const { stdout } = await run('cat', tree.path('odd'));
    expect(stdout).toBe(`one\n${'x'.repeat(300_000)}end\n`);
    expect((await run('cat', tree.path('empty'))).stdout).toBe('');
  });

  test('is read a row at a time where the next one takes its time', async () => {
    let giveMore = () => {};
    const more = new Promise<void>((resolve) => {
      giveMore = resolve;
    });
    await using tree = await Tree.mount({});
    procCreateSeq(
      'slow',
      0o444,
      tree.root,
      async function* () {
        yield 'first\n';
        yield 'with it\n';
        await more;
        yield 'last\n';
      },
      text,
    );
    const fd = must(await client.sys.open(tree.path('slow'), O_RDONLY));
    const next = async () => Buffer.from(must(await client.sys.read(fd, 4096))).toString();
    expect(await next()).toBe('first\nwith it\n');
    giveMore();
    expect(await next()).toBe('last\n');
    expect(await next()).toBe('');
    await client.sys.close(fd);
  });

  test('is read by several calls at once as by one after the other', async () => {
    const rows = Array.from({ length: 5000 }, (_, row) => `${row}\n`);
    await using tree = await Tree.mount({});
    procCreateSeq('rows', 0o444, tree.root, () => later(rows), text);
    const program = `
      const { open } = require('node:fs/promises');
      (async () => {
        const file = await open(process.argv[1]);
        const parts = await Promise.all([...Array(40).keys()].map(async (i) => {
          const { bytesRead, buffer } = await file.read(Buffer.alloc(600), 0, 600, i * 600);
          return buffer.subarray(0, bytesRead).toString();
        }));
        process.stdout.write(parts.join(''));
      })();`;
    const { stdout } = await run(process.execPath, '-e', program, tree.path('rows'));
    expect(stdout).toBe(rows.join('').slice(0, 24_000));
  });

  test('tells what goes wrong after what was there before', async () => {
    const rows = ['one\n', 'two\n', 'bad', 'never\n'];
    await using tree = await Tree.mount({});
    procCreateSeq(
      'bad',
      0o444,
      tree.root,
      () => later(rows),
      (row) => {
        if (row === 'bad') throw new Errno('ENODATA');
        return row;
      },
    );
    const fd = must(await client.sys.open(tree.path('bad'), O_RDONLY));
    const { sys } = client;
    for (let round = 0; round < 2; round++) {
      expect(await sys.lseek(fd, 0, 0)).toBe(0);
      expect(await sys.read(fd, 100)).toEqual(Buffer.from('one\ntwo\n'));
      expect(await sys.read(fd, 100)).toBe('ENODATA');
    }
    expect(await sys.read(fd, 100)).toBe('ENODATA');
    await sys.close(fd);
  });
});

describe('an iterator is closed, and its signal aborted, when its reader', () => {
  /** A tree with a file whose second row never comes. */
  async function waiting() {
    const said: string[] = [];
    const tree = await Tree.mount({});
    procCreateSeq(
      'waits',
      0o444,
      tree.root,
      async function* ({ signal, pid }) {
        said.push(`begins ${pid}`);
        try {
          yield 'first\n';
          said.push('waits');
          await sleep(1_000_000, undefined, { signal });
        } finally {
          said.push(signal.aborted ? 'aborted' : 'ended');
        }
      },
      text,
    );
    return { said, tree };
  }

  test.each(['closes the file', 'is killed while it waits', 'is killed between reads'])('%s', async (how) => {
    const { said, tree } = await waiting();
    await using one = await Client.start();
    const fd = must(await one.sys.open(tree.path('waits'), O_RDONLY));
    expect(await one.sys.read(fd, 100)).toEqual(Buffer.from('first\n'));
    await until(() => said.includes('waits'), 'It does not wait.');
    if (how === 'closes the file') await one.sys.close(fd);
    else {
      if (how === 'is killed while it waits') void one.sys.read(fd, 100).catch(() => {});
      process.kill(one.pid, 'SIGKILL');
    }
    await until(() => said.length === 3, 'It is not closed.');
    expect(said).toEqual([`begins ${one.pid}`, 'waits', 'aborted']);
    await tree[Symbol.asyncDispose]();
  });

  test('has its tree unmounted', async () => {
    const { said, tree } = await waiting();
    await using one = await Client.start();
    const fd = must(await one.sys.open(tree.path('waits'), O_RDONLY));
    must(await one.sys.read(fd, 100));
    const read = one.sys.read(fd, 100);
    await tree[Symbol.asyncDispose]();
    expect(await read).toMatch(/^(ECONNABORTED|ENOTCONN)$/);
    await until(() => said.length === 3, 'It is not closed.');
  });

  test('is interrupted, who goes on where they were', async () => {
    let runs = 0;
    await using tree = await Tree.mount({});
    procCreateSeq(
      'again',
      0o444,
      tree.root,
      async function* ({ signal }) {
        runs++;
        yield 'first\n';
        if (runs === 1) await sleep(1_000_000, undefined, { signal });
        yield 'second\n';
      },
      text,
    );
    // read(2) is EINTR for a handler without SA_RESTART, and Python reads again where it was (PEP 475).
    const program = `
import os, signal, sys
fd = os.open(sys.argv[1], os.O_RDONLY)
signal.signal(signal.SIGALRM, lambda *_: None)
print(os.read(fd, 100))
signal.alarm(1)
print(os.read(fd, 100))`;
    const { stdout } = await run('python3', '-c', program, tree.path('again'));
    expect(stdout).toBe("b'first\\n'\nb'second\\n'\n");
    expect(runs).toBe(2);
  });
});
