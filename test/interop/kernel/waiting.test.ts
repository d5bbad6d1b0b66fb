import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { must } from '../../support/answer.ts';
import { Client } from '../../support/client.ts';
import { run } from '../../support/mount.ts';
import { readOf, Tree } from './tree.ts';

const text = Buffer.from('hello\n');

/** A handler's answer that a test gives when it likes, and how many wait for it. */
function gate() {
  const waiting: (() => void)[] = [];
  return {
    waiting,
    pass: () => new Promise<void>((open) => waiting.push(open)),
    open() {
      for (const one of waiting.splice(0)) one();
    },
  };
}

describe('a handler that takes its time', () => {
  test('keeps nobody else waiting, however many calls wait for it', async () => {
    const late = gate();
    const read = readOf(() => text);
    await using tree = await Tree.mount({
      late: {
        async read(file, to, offset, caller) {
          if (offset === 0) await late.pass();
          return read(file, to, offset, caller);
        },
      },
      now: { read },
    });
    const waiting = Array.from({ length: 4 }, () => run('cat', tree.path('late')));
    await expect.poll(() => late.waiting.length).toBe(4);
    await using client = await Client.start();
    const fd = must(await client.sys.open(tree.path('now'), constants.O_RDONLY));
    for (let i = 0; i < 100; i++) must(await client.sys.read(fd, 100));
    expect(late.waiting).toHaveLength(4);
    late.open();
    expect(await Promise.all(waiting)).toEqual(Array(4).fill({ status: 0, stdout: 'hello\n', stderr: '' }));
  });
});

describe('a client that waits for a handler', () => {
  test('and catches a signal gets EINTR, and what the handler answers later goes nowhere', async () => {
    const late = gate();
    await using tree = await Tree.mount({
      late: {
        async read(_file, to) {
          await late.pass();
          to.write(text);
          return text.length;
        },
      },
      now: { read: readOf(() => text) },
    });
    // perl's signal handlers don't ask for SA_RESTART.
    const script = `
      $SIG{USR1} = sub {};
      open(my $file, '<', $ARGV[0]) or die;
      my $count = sysread($file, my $bytes, 100);
      print defined $count ? "read $count" : "errno ", $! + 0;`;
    const reader = spawn('perl', ['-e', script, tree.path('late')], { stdio: ['ignore', 'pipe', 'inherit'] });
    let said = '';
    reader.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    await expect.poll(() => late.waiting.length).toBe(1);
    await sleep(50);
    reader.kill('SIGUSR1');
    await once(reader, 'close');
    expect(said).toBe('errno 4');
    expect(late.waiting).toHaveLength(1);
    late.open();
    await using client = await Client.start();
    const fd = must(await client.sys.open(tree.path('now'), constants.O_RDONLY));
    expect(await client.sys.read(fd, 100)).toEqual(text);
  });

  test('can be killed', async () => {
    const late = gate();
    let released = 0;
    await using tree = await Tree.mount({
      late: {
        async read() {
          await late.pass();
          return 0;
        },
        release: () => void released++,
      },
    });
    const client = await Client.start();
    const fd = must(await client.sys.open(tree.path('late'), constants.O_RDONLY));
    const read = client.sys.read(fd, 100).catch((error: Error) => error.message);
    await expect.poll(() => late.waiting.length).toBe(1);
    await client[Symbol.asyncDispose]();
    expect(await read).toContain('SIGKILL');
    await expect.poll(() => released).toBe(1);
    late.open();
  });

  test('can be killed while it waits for an open, which is then released', async () => {
    const late = gate();
    const seen: string[] = [];
    await using tree = await Tree.mount({
      late: {
        async open() {
          await late.pass();
          seen.push('opened');
        },
        release: () => void seen.push('released'),
      },
    });
    const client = await Client.start();
    const open = client.sys
      .open(tree.path('late'), constants.O_RDONLY)
      .catch((error: Error) => error.message);
    await expect.poll(() => late.waiting.length).toBe(1);
    await client[Symbol.asyncDispose]();
    expect(await open).toContain('SIGKILL');
    late.open();
    await expect.poll(() => seen).toEqual(['opened', 'released']);
  });
});

describe('an open file whose connection is cut', () => {
  test('is released, and one whose handler was still opening it too', async () => {
    const late = gate();
    const seen: string[] = [];
    const tree = await Tree.mount({
      now: { release: () => void seen.push('now') },
      late: { open: () => late.pass(), release: () => void seen.push('late') },
    });
    await using client = await Client.start();
    must(await client.sys.open(tree.path('now'), constants.O_RDONLY));
    const open = client.sys.open(tree.path('late'), constants.O_RDONLY);
    await expect.poll(() => late.waiting.length).toBe(1);
    await tree[Symbol.asyncDispose]();
    expect(await open).toBe('ECONNABORTED');
    expect(seen).toEqual(['now']);
    late.open();
    await expect.poll(() => seen).toEqual(['now', 'late']);
  });
});
