import { constants, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { threadId } from 'node:worker_threads';
import { type Caller, type ProcHandler, ProcOps, procCreate } from 'ramproc';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { must } from '../../support/answer.ts';
import { Client } from '../../support/client.ts';
import { HANGS_AFTER } from '../../support/hanging.ts';
import { run } from '../../support/mount.ts';
import { makeDir } from '../../support/run.ts';
// biome-ignore lint/correctness/useImportExtensions: its types stand in a file of their own.
import { attach } from './told-in-a-worker.mjs';
import { Tree } from './tree.ts';

const { O_RDONLY, O_RDWR, O_NONBLOCK, O_APPEND } = constants;
const NOBODY = 65534;

let client: Client;
let nobody: Client;
beforeAll(async () => {
  [client, nobody] = await Promise.all([Client.start(), Client.start(NOBODY)]);
});
afterAll(async () => {
  await client[Symbol.asyncDispose]();
  await nobody[Symbol.asyncDispose]();
});

/** What a handler is told of who calls, kept for later: a Caller is of its call only. */
const told = ({ uid, gid, tid, pid, flags, nonblock }: Caller) => ({ uid, gid, tid, pid, flags, nonblock });

describe('a handler on the event loop', () => {
  test('is told who makes each call, whoever opened the file', async () => {
    const seen: [string, ReturnType<typeof told>][] = [];
    const note = (what: string, caller: Caller) => void seen.push([what, told(caller)]);
    const handler: ProcHandler = {
      open: (_file, caller) => note('open', caller),
      read: (_file, _to, _offset, caller) => note('read', caller),
      write(_file, from, _offset, caller) {
        note('write', caller);
        from.readAll();
      },
      lseek(_file, offset, _whence, caller) {
        note('lseek', caller);
        return offset;
      },
      poll(_file, _wake, caller) {
        note('poll', caller);
        return 1;
      },
      fsync: (_file, _dataOnly, caller) => note('fsync', caller),
      truncate: (_size, caller) => note('truncate', caller),
      setattr: (_change, caller) => note('setattr', caller),
    };
    await using tree = await Tree.mount({ file: handler }, { allowOther: true });
    for (const { sys, pid, uid } of [client, nobody]) {
      seen.length = 0;
      const fd = must(await sys.open(tree.path('file'), O_RDWR));
      must(await sys.read(fd, 10));
      must(await sys.write(fd, 'ten'));
      must(await sys.lseek(fd, 0, 3));
      must(await sys.poll(fd, 1, 0));
      must(await sys.fsync(fd));
      must(await sys.ftruncate(fd, 3));
      await sys.close(fd);
      expect(seen.map(([what]) => what)).toEqual([
        ...['open', 'read', 'write', 'lseek', 'poll', 'fsync', 'truncate'],
      ]);
      for (const [what, caller] of seen) {
        expect([what, caller]).toMatchObject([what, { uid, tid: pid, pid }]);
      }
    }
  });

  test('is told the process of a thread', async () => {
    const callers: { tid: number; pid: number }[] = [];
    await using tree = await Tree.mount({
      file: {
        read: (_file, _to, _offset, { tid, pid }) => void callers.push({ tid, pid }),
      },
    });
    // Node reads files by another thread than its first.
    const program = join(makeDir('program'), 'reads.mjs');
    writeFileSync(
      program,
      `import { readFile } from 'node:fs/promises'; await readFile(process.argv[2]); console.log(process.pid);`,
    );
    const { stdout } = await run(process.execPath, program, tree.path('file'));
    expect(callers).not.toHaveLength(0);
    for (const { tid, pid } of callers) {
      expect(pid).toBe(Number(stdout));
      expect(tid).not.toBe(pid);
    }
  });

  test('sees O_NONBLOCK in the next read when fcntl(2) has set it', async () => {
    const seen: [file: boolean, caller: boolean][] = [];
    await using tree = await Tree.mount({
      file: {
        read(file, _to, _offset, { nonblock }) {
          seen.push([(file.flags & O_NONBLOCK) !== 0, nonblock]);
        },
      },
    });
    const fd = must(await client.sys.open(tree.path('file'), O_RDONLY));
    await client.sys.read(fd, 10);
    must(await client.sys.setFlags(fd, O_NONBLOCK));
    await client.sys.read(fd, 10);
    must(await client.sys.setFlags(fd, 0));
    await client.sys.read(fd, 10);
    await client.sys.close(fd);
    expect(seen).toEqual([
      [false, false],
      [true, true],
      [false, false],
    ]);
  });

  test('learns by its signal that the client was interrupted, which has its EINTR at once', async () => {
    const signals: AbortSignal[] = [];
    await using tree = await Tree.mount({
      file: {
        read(_file, _to, _offset, { signal }) {
          signals.push(signal);
          return new Promise(() => {});
        },
      },
    });
    await using waiting = await Client.start();
    const fd = must(await waiting.sys.open(tree.path('file'), O_RDONLY));
    const read = waiting.sys.read(fd, 10).catch(() => 'ended');
    await expect.poll(() => signals.length).toBe(1);
    expect(signals[0]?.aborted).toBe(false);
    process.kill(waiting.pid, 'SIGKILL');
    await read;
    await expect.poll(() => signals[0]?.aborted).toBe(true);
  });

  test('learns by its signal that the tree was unmounted', async () => {
    const signals: AbortSignal[] = [];
    await using waiting = await Client.start();
    {
      await using tree = await Tree.mount({
        file: {
          read(_file, _to, _offset, { signal }) {
            signals.push(signal);
            return new Promise(() => {});
          },
        },
      });
      const fd = must(await waiting.sys.open(tree.path('file'), O_RDONLY));
      waiting.sys.read(fd, 10).catch(() => {});
      await expect.poll(() => signals.length).toBe(1);
    }
    expect(signals[0]?.aborted).toBe(true);
  });
});

describe('a shared handler, in a worker', () => {
  test('is told who makes each call, who opened the file, and with which flags', async () => {
    await using tree = await Tree.mount({}, { allowOther: true });
    procCreate('file', 0o666, tree.root, attach({}));
    const read = async ({ sys }: Client, fd: number) =>
      JSON.parse(Buffer.from(must(await sys.pread(fd, 4096, 0))).toString());
    for (const one of [client, nobody]) {
      const fd = must(await one.sys.open(tree.path('file'), O_RDWR | O_APPEND));
      const first = await read(one, fd);
      expect(first.threadId).not.toBe(threadId);
      expect(first.opener).toBe(one.uid);
      expect(first.opened & O_APPEND).toBe(O_APPEND);
      expect(first.caller).toMatchObject({ uid: one.uid, tid: one.pid, pid: one.pid, nonblock: false });
      must(await one.sys.setFlags(fd, O_NONBLOCK));
      expect((await read(one, fd)).caller).toMatchObject({ nonblock: true, aborted: false });
      await one.sys.close(fd);
    }
  });

  test('polls on the thread that has the tree, where it can wake who waits', async () => {
    const word = new Int32Array(new SharedArrayBuffer(4));
    await using tree = await Tree.mount({});
    const { placement } = attach({});
    const handler: ProcHandler = {
      poll(_file, wake) {
        const { async, value } = Atomics.waitAsync(word, 0, 0);
        if (async) void value.then(wake);
        return Atomics.load(word, 0);
      },
    };
    procCreate('file', 0o666, tree.root, new ProcOps(handler, placement));
    const fd = must(await client.sys.open(tree.path('file'), O_RDONLY));
    const waiting = client.sys.poll(fd, 1, HANGS_AFTER);
    // Any thread's change of what they share wakes it.
    setTimeout(() => {
      Atomics.store(word, 0, 1);
      Atomics.notify(word, 0);
    }, 50);
    expect(await waiting).toBe(1);
    await client.sys.close(fd);
  });
});
