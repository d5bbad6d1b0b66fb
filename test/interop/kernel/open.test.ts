import { constants } from 'node:fs';
import { constants as system } from 'node:os';
import { Errno, type ProcFile, type ProcHandler } from 'ramproc';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { must } from '../../support/answer.ts';
import { MAP_PRIVATE, PROT_READ } from '../../support/calls/index.ts';
import { Client } from '../../support/client.ts';
import { attrOf, readOf, Tree } from './tree.ts';

const { O_RDONLY, O_WRONLY, O_RDWR, O_APPEND, O_TRUNC, O_CREAT, O_EXCL, O_SYNC, O_DIRECT } = constants;
const NOBODY = 65534;

let client: Client;
beforeAll(async () => {
  client = await Client.start();
});
afterAll(() => client[Symbol.asyncDispose]());

describe('open', () => {
  test.each([
    ['O_RDONLY', O_RDONLY, O_RDONLY],
    ['O_WRONLY', O_WRONLY, O_WRONLY],
    ['O_RDWR and O_APPEND', O_RDWR | O_APPEND, O_RDWR | O_APPEND],
    ['O_SYNC and O_DIRECT', O_RDWR | O_SYNC | O_DIRECT, O_RDWR | O_SYNC | O_DIRECT],
    // The kernel keeps it to itself: fuse_send_open.
    ['no O_CREAT', O_RDWR | O_CREAT, O_RDWR],
  ])('tells the handler of %s', async (_name, asked, told) => {
    const opened: ProcFile[] = [];
    await using tree = await Tree.mount({ file: { open: (file) => void opened.push({ ...file }) } });
    const fd = must(await client.sys.open(tree.path('file'), asked));
    await client.sys.close(fd);
    // O_LARGEFILE, which every 64-bit process has set; Node has no name for it.
    const flags = opened.map((file) => file.flags & ~0o100000);
    expect(flags).toEqual([told]);
    expect(opened[0]).toMatchObject({ uid: 0, pos: 0, privateData: undefined });
    expect(await client.sys.open(tree.path('file'), O_RDWR | O_CREAT | O_EXCL)).toBe('EEXIST');
    expect(opened).toHaveLength(1);
  });

  test('turns O_TRUNC into a truncate, which comes first', async () => {
    const seen: unknown[] = [];
    await using tree = await Tree.mount({
      file: {
        open: ({ flags }) => void seen.push(flags & O_TRUNC),
        truncate: (size) => void seen.push({ size }),
      },
    });
    await client.sys.close(must(await client.sys.open(tree.path('file'), O_WRONLY | O_TRUNC)));
    expect(seen).toEqual([0, { size: 0 }]);
  });

  test('says who opens', async () => {
    const uids: number[] = [];
    const handlers = { file: { open: ({ uid }: ProcFile) => void uids.push(uid) } };
    await using tree = await Tree.mount(handlers, { allowOther: true });
    await using nobody = await Client.start(NOBODY);
    for (const { sys } of [nobody, client]) must(await sys.open(tree.path('file'), O_RDONLY));
    expect(uids).toEqual([NOBODY, 0]);
  });

  test('that the handler refuses fails with its errno, and is not released', async () => {
    const seen: string[] = [];
    await using tree = await Tree.mount({
      now: {
        open() {
          throw new Errno(system.errno.EPERM);
        },
        release: () => void seen.push('release'),
      },
      later: {
        open: () => Promise.reject(new Errno(system.errno.EPERM)),
        release: () => void seen.push('release'),
      },
    });
    expect(await client.sys.open(tree.path('now'), O_RDONLY)).toBe('EPERM');
    expect(await client.sys.open(tree.path('later'), O_RDONLY)).toBe('EPERM');
    await client.sys.stat(tree.dir);
    expect(seen).toEqual([]);
  });

  test('gives each open file private data of its own, which its later calls find', async () => {
    let opens = 0;
    const released: unknown[] = [];
    const handler: ProcHandler = {
      open(file) {
        file.privateData = { number: ++opens };
      },
      read({ privateData }, to) {
        to.write(Buffer.from(JSON.stringify(privateData)));
        return to.transferred;
      },
      release: ({ privateData }) => void released.push(privateData),
    };
    await using tree = await Tree.mount({ file: handler });
    const first = must(await client.sys.open(tree.path('file'), O_RDONLY));
    const second = must(await client.sys.open(tree.path('file'), O_RDONLY));
    const read = async (fd: number) =>
      JSON.parse(Buffer.from(must(await client.sys.read(fd, 100))).toString());
    expect([await read(second), await read(first)]).toEqual([{ number: 2 }, { number: 1 }]);
    await client.sys.close(second);
    await client.sys.close(first);
    await expect.poll(() => released).toEqual([{ number: 2 }, { number: 1 }]);
  });
});

describe('release', () => {
  test('comes once, when the last descriptor and mapping are gone', async () => {
    let releases = 0;
    const text = Buffer.alloc(4096, 'x');
    await using tree = await Tree.mount({
      file: {
        lseek: (_file, offset) => offset,
        read: readOf(() => text),
        getattr: () => attrOf(text.length),
        release: () => void releases++,
      },
    });
    const fd = must(await client.sys.open(tree.path('file'), O_RDONLY));
    const memory = must(await client.sys.mmap(fd, 0, text.length, PROT_READ, MAP_PRIVATE));
    await client.sys.close(fd);
    expect(Buffer.from(await client.sys.load(memory, text.length))).toEqual(text);
    expect(releases).toBe(0);
    await client.sys.munmap(memory, text.length);
    await expect.poll(() => releases).toBe(1);
    await client.sys.stat(tree.path('file'));
    expect(releases).toBe(1);
  });
});
