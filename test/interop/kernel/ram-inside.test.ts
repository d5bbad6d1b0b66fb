import { constants } from 'node:fs';
import { Errno, RustProcRamFile } from 'ramproc';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { answer, must } from '../../support/answer.ts';
import { MAP_SHARED, PROT_READ, PROT_WRITE } from '../../support/calls/index.ts';
import { Client } from '../../support/client.ts';
import { Tree } from './tree.ts';

const { O_RDWR } = constants;
const SIZE = 1 << 20;
const PAGE = 4096;

let client: Client;
beforeAll(async () => {
  client = await Client.start();
});
afterAll(() => client[Symbol.asyncDispose]());

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();

describe.each(['direct', 'cached', 'passthrough'] as const)('the RAM file from inside, %s', (io) => {
  /** A mounted file that a client has open. */
  async function opened() {
    const tree = await Tree.mount({}, { wants: { mmap: true, passthrough: true } });
    const ram = RustProcRamFile.init(tree.root, { maxSize: SIZE, io });
    const path = tree.path('rust-proc-file');
    const fd = must(await client.sys.open(path, O_RDWR));
    return {
      ram,
      path,
      fd,
      [Symbol.asyncDispose]: async () => {
        await client.sys.close(fd);
        ram[Symbol.dispose]();
        await tree[Symbol.asyncDispose]();
      },
    };
  }

  const mapped = async (fd: number) =>
    must(await client.sys.mmap(fd, 0, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED));

  test('shows clients at once what is written, and the program what they write', async () => {
    await using at = await opened();
    const { ram, fd, path } = at;
    for (let i = 0; i < 50; i++) {
      const line = `line ${i}`.padEnd(10 + i, '.');
      expect(ram.writeAt(0, line)).toBe(line.length);
      expect(text(must(await client.sys.pread(fd, 100, 0)))).toBe(line);
      expect(must(await client.sys.stat(path)).size).toBe(line.length);
      must(await client.sys.pwrite(fd, `answer ${i}`, 2));
      expect(text(ram.readAt(2, `answer ${i}`.length))).toBe(`answer ${i}`);
    }
    expect(await client.sys.lseek(fd, 0, 2)).toBe(ram.size);
  });

  test('shows it in mappings, beside what clients have stored there', async () => {
    await using at = await opened();
    const { ram, fd } = at;
    ram.writeAt(0, 'x'.repeat(PAGE));
    const address = await mapped(fd);
    for (let i = 0; i < 50; i++) {
      expect(text(must(await client.sys.load(address, 1)))).toMatch(/^[xA-Z]$/);
      await client.sys.store(address + 100, `stored ${i}`);
      ram.writeAt(0, String.fromCharCode(65 + (i % 26)).repeat(10));
      ram.writeAt(200, `${i}`);
      expect(text(must(await client.sys.load(address, 10)))).toBe(
        String.fromCharCode(65 + (i % 26)).repeat(10),
      );
      expect(text(must(await client.sys.load(address + 100, `stored ${i}`.length)))).toBe(`stored ${i}`);
      expect(text(must(await client.sys.load(address + 200, `${i}`.length)))).toBe(`${i}`);
    }
    await client.sys.msync(address, PAGE);
    await client.sys.munmap(address, PAGE);
    expect(text(ram.readAt(100, 9))).toBe('stored 49');
    expect(text(ram.readAt(200, 2))).toBe('49');
  });

  test('is cut off and made longer', async () => {
    await using at = await opened();
    const { ram, fd, path } = at;
    ram.writeAt(0, 'x'.repeat(3 * PAGE));
    expect(must(await client.sys.pread(fd, 4 * PAGE, 0)).length).toBe(3 * PAGE);
    ram.truncate(10);
    expect(ram.size).toBe(10);
    expect(must(await client.sys.pread(fd, PAGE, 0)).length).toBe(10);
    expect(must(await client.sys.pread(fd, PAGE, PAGE)).length).toBe(0);
    expect(must(await client.sys.stat(path)).size).toBe(10);
    ram.truncate(20);
    expect(text(must(await client.sys.pread(fd, PAGE, 0)))).toBe(`xxxxxxxxxx${'\0'.repeat(10)}`);
    ram.truncate(PAGE);
    const address = await mapped(fd);
    expect(text(must(await client.sys.load(address + 8, 4)))).toBe('xx\0\0');
    await client.sys.munmap(address, PAGE);
    ram.truncate(0);
    expect(must(await client.sys.pread(fd, PAGE, 0)).length).toBe(0);
  });

  test('takes large writes, and says what it has no room for', async () => {
    await using at = await opened();
    const { ram, fd } = at;
    const bytes = Buffer.alloc(SIZE, 'abc');
    expect(ram.writeAt(0, bytes)).toBe(SIZE);
    expect(Buffer.compare(must(await client.sys.pread(fd, SIZE, 0)), bytes)).toBe(0);
    expect(Buffer.compare(ram.readAt(0, 2 * SIZE), bytes)).toBe(0);
    expect(ram.readAt(SIZE, 10)).toEqual(new Uint8Array());
    expect(ram.readAt(2 ** 50, 10)).toEqual(new Uint8Array());
    expect(answer(() => ram.writeAt(SIZE, 'x'))).toBe('ENOSPC');
    for (const [offset, code] of [
      [-1, 'EINVAL'],
      [0.5, 'EINVAL'],
      [Number.NaN, 'EINVAL'],
      [2 ** 53, 'EFBIG'],
    ] as const) {
      expect(answer(() => ram.writeAt(offset, 'x'))).toBe(code);
      expect(answer(() => ram.readAt(offset, 1))).toBe(code);
      expect(answer(() => ram.truncate(offset))).toBe(code);
    }
  });

  test.each([
    ['', false],
    [' and writes back', true],
  ])(
    'loses no store that a client makes to the same page meanwhile%s, nor what is written',
    async (_, sync) => {
      await using at = await opened();
      const { ram, fd } = at;
      ram.writeAt(0, new Uint8Array(PAGE));
      const address = await mapped(fd);
      const stores = client.sys.countUp(address + 8, 300, sync);
      let written = 0;
      let done = false;
      const counted = stores.finally(() => {
        done = true;
      });
      while (!done) {
        ram.writeAt(0, Buffer.from(Uint32Array.of(++written).buffer));
        expect(Buffer.from(ram.readAt(0, 4)).readUInt32LE()).toBe(written);
        await new Promise(setImmediate);
      }
      const { count, lost } = await counted;
      expect(lost).toBe(0);
      expect(written).toBeGreaterThan(0);
      await client.sys.msync(address, PAGE);
      expect(Buffer.from(ram.readAt(0, 4)).readUInt32LE()).toBe(written);
      expect(Buffer.from(ram.readAt(8, 4)).readUInt32LE()).toBe(count);
      await client.sys.munmap(address, PAGE);
    },
  );
});

test('without a mount it works as well, and after its end it is EBUSY', () => {
  const ram = RustProcRamFile.init(null, { maxSize: SIZE });
  ram.writeAt(5, 'text');
  expect(text(ram.readAt(0, 100))).toBe('\0\0\0\0\0text');
  ram[Symbol.dispose]();
  for (const call of [
    () => ram.readAt(0, 1),
    () => ram.writeAt(0, 'x'),
    () => ram.truncate(0),
    () => ram.size,
  ]) {
    expect(call).toThrow(Errno);
    expect(answer(call)).toBe('EBUSY');
  }
});
