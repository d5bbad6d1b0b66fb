import { execFile } from 'node:child_process';
import { constants, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import {
  POLLIN,
  ProcDirEntry,
  type ProcHandler,
  procCreate,
  procDointvecMinmax,
  WaitQueue,
} from '../../../src/index.ts';
import { openEntry, type TestFile } from '../../../src/testing.ts';

/** What authors did, and what came of it: now it works, or it is EIO and a sentence says why. */

const said: string[] = [];
beforeEach(() => {
  said.length = 0;
  vi.spyOn(console, 'error').mockImplementation((error) => void said.push(String(error)));
});
afterEach(() => {
  vi.restoreAllMocks();
});

function opened<P>(handler: ProcHandler<P>, flags?: number): Promise<TestFile> {
  const root = ProcDirEntry.root();
  procCreate('file', 0o666, root, handler);
  return openEntry(root, 'file', { flags });
}

/** What a call of a mistaken handler is, and what was said. */
async function mistakeOf(call: Promise<unknown>): Promise<string> {
  await expect(call).rejects.toMatchObject({ code: 'EIO' });
  return said.join();
}

test("a write that answers its window's length after it took all has taken all", async () => {
  await using file = await opened({
    write(_file, from) {
      from.readAll();
      return from.length;
    },
  });
  expect(await file.write('5\n')).toBe(2);
});

test("a read that answers its window's length after less is said", async () => {
  await using file = await opened({
    read(_file, to) {
      to.write(Buffer.from('hello\n'));
      return to.length;
    },
  });
  expect(await mistakeOf(file.read(100))).toMatch(/answered 100; it may answer 0 to 6/);
});

test('0 beside what was transferred is said, both ways', async () => {
  await using file = await opened({
    read(_file, to) {
      to.write(Buffer.from('hello\n'));
      return 0;
    },
    write(_file, from) {
      from.readAll();
      return from.left;
    },
  });
  expect(await mistakeOf(file.read())).toMatch(/transferred 6 bytes and answered 0; return nothing/);
  said.length = 0;
  expect(await mistakeOf(file.write('x'))).toMatch(/transferred 1 bytes and answered 0; return nothing/);
});

test('a function to wake is the same for each poll of an open file, whoever keeps it', async () => {
  const wakes = new Set<() => void>();
  const queue = new WaitQueue();
  let calls = 0;
  await using file = await opened({
    poll(open, wake) {
      wakes.add(wake);
      queue.pollWait(open, () => calls++);
      return POLLIN;
    },
  });
  await using kept = await opened({
    poll(open, wake) {
      queue.pollWait(open, wake);
      return 0;
    },
  });
  for (let i = 0; i < 1400; i++) {
    await file.poll(POLLIN);
    await kept.poll(POLLIN, 0);
  }
  expect(wakes.size).toBe(1);
  await file.close();
  queue.wake();
  expect(calls).toBe(0);
});

test('an lseek that answers nothing is said', async () => {
  const handler = { lseek: () => {} } as unknown as ProcHandler;
  await using file = await opened(handler);
  expect(await mistakeOf(file.lseek(0, 3))).toMatch(/answered undefined; it may answer 0 to/);
});

test('an error that is returned, as in C, and not thrown is said', async () => {
  const handler = { truncate: () => -22, read: () => -22, ioctl: () => -22 } as unknown as ProcHandler;
  expect(await mistakeOf(opened(handler, constants.O_RDWR | constants.O_TRUNC))).toMatch(
    /returned -22, where an error is thrown: throw new Errno\(22\)/,
  );
  await using file = await opened(handler);
  said.length = 0;
  expect(await mistakeOf(file.read())).toMatch(/answered -22/);
});

test("an error of Node's own calls keeps its number, and a sleep that is aborted is EINTR", async () => {
  await using file = await opened({
    read: () => void readFileSync('/no such file'),
    write: async (_file, _from, _offset, { signal }) => {
      await sleep(1_000_000, undefined, { signal });
    },
  });
  await expect(file.read()).rejects.toMatchObject({ code: 'ENOENT' });
  const write = file.write('x');
  file.interrupt();
  await expect(write).rejects.toMatchObject({ code: 'EINTR' });
  expect(said).toEqual([]);
});

test('a range that no number is in is refused where it is made', () => {
  expect(() => procDointvecMinmax('none', 0o644, ProcDirEntry.root(), { value: 1 }, 64, 1)).toThrow(
    RangeError,
  );
});

test('a poll in a test that nothing wakes keeps its program until it is over', async () => {
  const program = `
    const { ProcDirEntry, procCreate } = await import('${new URL('../../../src/index.ts', import.meta.url)}');
    const { openEntry } = await import('${new URL('../../../src/testing.ts', import.meta.url)}');
    const root = ProcDirEntry.root();
    procCreate('file', 0o666, root, { poll: () => 0 });
    const file = await openEntry(root, 'file');
    console.log(await file.poll(1, 50));`;
  const parameters = ['--import', 'tsx', '--input-type=module', '-e', program];
  const { stdout } = await promisify(execFile)(process.execPath, parameters);
  expect(stdout).toBe('0\n');
});
