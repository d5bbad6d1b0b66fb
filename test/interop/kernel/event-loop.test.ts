import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ProcHandler } from 'ramproc';
import { describe, expect, test } from 'vitest';
import { run } from '../../support/mount.ts';
import { attrOf, readOf, Tree } from './tree.ts';

const MiB = 1 << 20;

/** Handlers of a file of 1 MiB in a buffer, that answer at once. */
function fileOf(bytes: Buffer): ProcHandler & Required<Pick<ProcHandler, 'read' | 'write'>> {
  return {
    read: readOf(() => bytes),
    write: (_file, from, offset) => from.read(bytes.subarray(offset, offset + from.left)),
    getattr: () => attrOf(bytes.length),
    truncate: () => {},
    lseek: (_file, offset) => offset,
  };
}

/** Clients that read a file again and again, 4 KiB at a time, until they are ended. */
function readers(path: string, count: number): AsyncDisposable {
  const loop =
    'open(my $file, "<", $ARGV[0]) or die; 1 while sysseek($file, 0, 0) && sysread($file, my $bytes, 4096)';
  const all = Array.from({ length: count }, () => spawn('perl', ['-e', loop, path], { stdio: 'ignore' }));
  return {
    [Symbol.asyncDispose]: async () => {
      for (const one of all) one.kill();
      await Promise.all(all.map((one) => one.exitCode ?? one.signalCode ?? once(one, 'exit')));
    },
  };
}

describe('a program whose event loop serves its files', () => {
  test('goes on with its timers, promises and sockets while clients read without a pause', async () => {
    const file = fileOf(Buffer.alloc(MiB));
    let reads = 0;
    const read: ProcHandler['read'] = (...call) => {
      reads++;
      return file.read(...call);
    };
    await using tree = await Tree.mount({ file: { ...file, read } });
    const server = createServer((_request, response) => response.end('here')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await using _readers = readers(tree.path('file'), 4);
    await expect.poll(() => reads).toBeGreaterThan(1000);
    for (let i = 0; i < 20; i++) {
      const before = reads;
      await sleep(5);
      expect(await (await fetch(`http://127.0.0.1:${port}`)).text()).toBe('here');
      await expect.poll(() => reads).toBeGreaterThan(before);
    }
    server.close();
  });

  test.each(['sync', 'async'])('gives and takes every byte with handlers that are %s', async (how) => {
    const bytes = Buffer.alloc(4 * MiB);
    const { read, write, ...file } = fileOf(bytes);
    const handler: ProcHandler =
      how === 'sync'
        ? { ...file, read, write }
        : {
            ...file,
            read: async (...call) => await read(...call),
            write: async (...call) => await write(...call),
          };
    await using tree = await Tree.mount({ file: handler });
    // Each of four writers its own quarter, with a byte of its own, and then all of it compared.
    const script = `
      for i in 1 2 3 4; do
        head -c 1048576 /dev/zero | tr '\\0' $i | dd of="$1" bs=4096 seek=$(((i - 1) * 256)) conv=notrunc iflag=fullblock 2>/dev/null &
      done
      wait
      for i in 1 2 3 4; do head -c 1048576 /dev/zero | tr '\\0' $i; done | cmp - "$1" && echo same`;
    expect(await run('sh', '-c', script, 'sh', tree.path('file'))).toEqual({
      ...{ status: 0, stdout: 'same\n', stderr: '' },
    });
    for (const quarter of [1, 2, 3, 4])
      expect(bytes.subarray((quarter - 1) * MiB, quarter * MiB).every((byte) => byte === 48 + quarter)).toBe(
        true,
      );
  });

  test('serves more readers that wait than it has memory for the longest requests', async () => {
    const file = fileOf(Buffer.from('x'.repeat(100)));
    const waiting: (() => void)[] = [];
    await using tree = await Tree.mount({
      file: {
        ...file,
        async read(...call) {
          await new Promise<void>((go) => waiting.push(go));
          return file.read(...call);
        },
      },
    });
    const readers = Array.from({ length: 24 }, () =>
      run('dd', `if=${tree.path('file')}`, 'bs=200', 'count=1', 'status=none'),
    );
    await expect.poll(() => waiting.length).toBe(24);
    for (const go of waiting.toReversed()) go();
    expect(await Promise.all(readers)).toEqual(
      Array(24).fill({ status: 0, stdout: 'x'.repeat(100), stderr: '' }),
    );
  });
});

describe('writes within a file', () => {
  const start = (parallelWrites: boolean) => {
    const begun: number[] = [];
    const waiting: (() => void)[] = [];
    const handler: ProcHandler = {
      ...fileOf(Buffer.alloc(MiB)),
      async write(_file, from, offset) {
        begun.push(offset);
        await new Promise<void>((go) => waiting.push(go));
        from.readAll();
      },
    };
    const write = (path: string, block: number) =>
      run(
        'dd',
        'if=/dev/zero',
        `of=${path}`,
        'bs=4096',
        'count=1',
        `seek=${block}`,
        'conv=notrunc',
        'status=none',
      );
    return { begun, waiting, handler, write, placement: { parallelWrites } };
  };

  test('are made one after the other, though the kernel hands them over side by side', async () => {
    const { begun, waiting, handler, write, placement } = start(false);
    await using tree = await Tree.mount({ file: handler }, { placement });
    const all = [0, 1, 2].map((block) => write(tree.path('file'), block));
    for (let done = 0; done < 3; done++) {
      await expect.poll(() => waiting.length).toBe(1);
      await sleep(50);
      expect(begun).toHaveLength(done + 1);
      waiting.pop()?.();
    }
    expect((await Promise.all(all)).map(({ status }) => status)).toEqual([0, 0, 0]);
    expect(begun.toSorted((a, b) => a - b)).toEqual([0, 4096, 8192]);
  });

  test('are made side by side where the handler asks for it', async () => {
    const { waiting, handler, write, placement } = start(true);
    await using tree = await Tree.mount({ file: handler }, { placement });
    const all = [0, 1, 2].map((block) => write(tree.path('file'), block));
    await expect.poll(() => waiting.length).toBe(3);
    for (const go of waiting) go();
    expect((await Promise.all(all)).map(({ status }) => status)).toEqual([0, 0, 0]);
  });

  test('are not made any more when who waits in line is killed', async () => {
    const { begun, waiting, handler, write, placement } = start(false);
    await using tree = await Tree.mount({ file: handler }, { placement });
    const first = write(tree.path('file'), 0);
    await expect.poll(() => waiting.length).toBe(1);
    const killed = spawn('dd', [
      'if=/dev/zero',
      `of=${tree.path('file')}`,
      'bs=4096',
      'count=1',
      'seek=1',
      'conv=notrunc',
    ]);
    await expect
      .poll(() => run('sh', '-c', `grep -q request_wait_answer /proc/${killed.pid}/stack`))
      .toMatchObject({ status: 0 });
    killed.kill('SIGKILL');
    await once(killed, 'exit');
    const last = write(tree.path('file'), 2);
    waiting.pop()?.();
    await expect.poll(() => waiting.length).toBe(1);
    waiting.pop()?.();
    expect((await Promise.all([first, last])).map(({ status }) => status)).toEqual([0, 0]);
    expect(begun).toEqual([0, 8192]);
  });
});
