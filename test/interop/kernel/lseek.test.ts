import { constants } from 'node:fs';
import { constants as system } from 'node:os';
import { Errno, Whence } from 'ramproc';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { must } from '../../support/answer.ts';
import { SEEK_CUR, SEEK_DATA, SEEK_END, SEEK_HOLE, SEEK_SET } from '../../support/calls/index.ts';
import { Client } from '../../support/client.ts';
import { attrOf, Tree } from './tree.ts';

let client: Client;
beforeAll(async () => {
  client = await Client.start();
});
afterAll(() => client[Symbol.asyncDispose]());

describe('lseek', () => {
  test('for data and holes reaches the handler; the kernel answers the others', async () => {
    const seen: unknown[] = [];
    await using tree = await Tree.mount({
      file: {
        getattr: () => attrOf(1000),
        lseek(_file, offset, whence) {
          seen.push([offset, whence]);
          if (offset >= 1000) throw new Errno(system.errno.ENXIO);
          return whence === Whence.SeekData ? offset + 10 : 2 ** 45;
        },
      },
    });
    const fd = must(await client.sys.open(tree.path('file'), constants.O_RDONLY));
    expect(await client.sys.lseek(fd, 100, SEEK_SET)).toBe(100);
    expect(await client.sys.lseek(fd, 5, SEEK_CUR)).toBe(105);
    expect(await client.sys.lseek(fd, -1, SEEK_END)).toBe(999);
    expect(seen).toEqual([]);
    expect(await client.sys.lseek(fd, 20, SEEK_DATA)).toBe(30);
    expect(await client.sys.lseek(fd, 0, SEEK_CUR)).toBe(30);
    expect(await client.sys.lseek(fd, 40, SEEK_HOLE)).toBe(2 ** 45);
    expect(await client.sys.lseek(fd, 1000, SEEK_DATA)).toBe('ENXIO');
    expect(await client.sys.lseek(fd, 0, SEEK_CUR)).toBe(2 ** 45);
    expect(seen).toEqual([
      [20, Whence.SeekData],
      [40, Whence.SeekHole],
      [1000, Whence.SeekData],
    ]);
    expect(await client.sys.lseek(fd, 0, 5)).toBe('EINVAL');
  });

  test('on a file without it is ESPIPE, as is a read at an offset; reads in a row work', async () => {
    const offsets: number[] = [];
    await using tree = await Tree.mount({
      file: {
        read(_file, to, offset) {
          offsets.push(offset);
          to.write(Buffer.from('abc').subarray(0, to.length));
          return to.transferred;
        },
      },
    });
    const fd = must(await client.sys.open(tree.path('file'), constants.O_RDONLY));
    for (const whence of [SEEK_SET, SEEK_CUR, SEEK_END, SEEK_DATA, SEEK_HOLE]) {
      expect(await client.sys.lseek(fd, 0, whence)).toBe('ESPIPE');
    }
    expect(await client.sys.pread(fd, 10, 0)).toBe('ESPIPE');
    expect(await client.sys.read(fd, 10)).toHaveLength(3);
    expect(await client.sys.read(fd, 2)).toHaveLength(2);
    expect(offsets).toHaveLength(2);
  });
});
