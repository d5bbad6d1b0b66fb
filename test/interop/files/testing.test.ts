import { constants, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  _IO,
  Errno,
  ProcDirEntry,
  procBlob,
  procCreate,
  procCreateSeq,
  procCreateSingle,
  procDointvecMinmax,
  procMkdir,
  RustProcRamFile,
} from 'ramproc';
import { openEntry, type TestFile } from 'ramproc/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { must } from '../../support/answer.ts';
import { Client } from '../../support/client.ts';
import { runAsNobody } from '../../support/nobody.ts';
import { Tree } from '../kernel/tree.ts';

const { O_APPEND, O_RDONLY, O_RDWR, O_TRUNC, O_WRONLY } = constants;

let client: Client;
let tree: Tree;
beforeAll(async () => {
  client = await Client.start();
  tree = await Tree.mount({}, { wants: { mmap: true } });
});
afterAll(async () => {
  await client[Symbol.asyncDispose]();
  await tree[Symbol.asyncDispose]();
});

/** What a call answers, as a Client tells it. */
async function answerOf(call: Promise<number | Uint8Array>): Promise<unknown> {
  try {
    const answer = await call;
    return typeof answer === 'number' ? answer : Buffer.from(answer);
  } catch (error) {
    if (error instanceof Errno) return error.code;
    throw error;
  }
}

/** The same calls on a mounted file and on one that isn't. */
interface Calls {
  read(length: number): Promise<unknown>;
  pread(length: number, offset: number): Promise<unknown>;
  write(text: string): Promise<unknown>;
  pwrite(text: string, offset: number): Promise<unknown>;
  lseek(offset: number, whence: number): Promise<unknown>;
  ioctl(command: number): Promise<unknown>;
  poll(events: number): Promise<unknown>;
}

function ofClient({ sys }: Client, fd: number): Calls {
  return {
    read: (length) => sys.read(fd, length),
    pread: (length, offset) => sys.pread(fd, length, offset),
    write: (text) => sys.write(fd, text),
    pwrite: (text, offset) => sys.pwrite(fd, text, offset),
    lseek: (offset, whence) => sys.lseek(fd, offset, whence),
    ioctl: (command) => sys.ioctl(fd, command),
    poll: (events) => sys.poll(fd, events, 0),
  };
}

function ofTest(file: TestFile): Calls {
  return {
    read: (length) => answerOf(file.read(length)),
    pread: (length, offset) => answerOf(file.readAt(offset, length)),
    write: (text) => answerOf(file.write(text)),
    pwrite: (text, offset) => answerOf(file.writeAt(offset, text)),
    lseek: (offset, whence) => answerOf(file.lseek(offset, whence)),
    ioctl: (command) => answerOf(file.ioctl(command)),
    poll: (events) => answerOf(file.poll(events, 0)),
  };
}

/** `appends`: to the kernel such a write ends at an end that it made up where a file has none, to a test where one of /proc does. */
async function play(calls: Calls, appends: boolean): Promise<unknown[]> {
  return [
    await calls.read(5),
    await calls.read(4096),
    await calls.read(4096),
    await calls.pread(7, 3),
    await calls.pread(7, 1_000_000),
    await calls.pread(0, 3),
    await calls.pread(7, -1),
    await calls.read(0),
    await calls.lseek(2, 0),
    await calls.read(3),
    await calls.lseek(-1, 1),
    await calls.lseek(-100, 1),
    await calls.lseek(0, 2),
    await calls.lseek(0, 3),
    await calls.lseek(0, 4),
    await calls.lseek(-1, 3),
    await calls.lseek(0, 9),
    await calls.lseek(0, 0),
    await calls.write('12\n'),
    await calls.write('34\n'),
    await calls.write(''),
    await calls.pwrite('56\n', 0),
    await calls.pwrite('78\n', 2),
    await calls.pwrite('x', -1),
    await calls.pread(4096, 0),
    appends || (await calls.lseek(0, 1)),
    await calls.ioctl(_IO('r', 1)),
    await calls.poll(1 | 4),
  ];
}

/** A file of each kind, by name. */
const kinds: Record<string, (root: ProcDirEntry) => void> = {
  single: (root) =>
    void procCreateSingle(
      'single',
      0o644,
      root,
      async () => 'some text\n',
      () => {},
    ),
  readonly: (root) => void procCreateSingle('readonly', 0o644, root, () => readFileSync('/proc/version')),
  seq: (root) =>
    void procCreateSeq(
      'seq',
      0o644,
      root,
      () => ['a\n', 'bb\n', 'ccc\n', 'dddd\n'],
      (row) => row,
    ),
  int: (root) => void procDointvecMinmax('int', 0o644, root, { value: 99 }, 0, 1000),
  blob: (root) => void procBlob('blob', 0o644, root, Buffer.alloc(20, 'blob')),
  nothing: (root) => void procCreate('nothing', 0o644, root, {}),
  stream: (root) =>
    void procCreate('stream', 0o644, root, {
      read: (_file, to) => to.write(Buffer.alloc(to.left, 's')),
      write: (_file, from) => void from.readAll(),
      ioctl: () => 7,
      poll: () => 4,
    }),
  failing: (root) =>
    void procCreate('failing', 0o644, root, {
      lseek: () => Promise.reject(new Errno('ENXIO')),
      read: async () => {
        throw new Errno('EBUSY');
      },
      write() {
        throw new Errno('ENOSPC');
      },
      poll() {
        throw new Errno('EIO');
      },
    }),
  ram: (root) => void RustProcRamFile.init(root, { name: 'ram', maxSize: 1 << 20 }).writeAt(0, 'in RAM'),
};

describe.each(Object.keys(kinds))('a test of a %s file', (name) => {
  test.each([O_RDWR, O_RDONLY, O_WRONLY, O_RDWR | O_APPEND, ...(name === 'ram' ? [O_RDWR | O_TRUNC] : [])])(
    'sees what a client of its mount sees, with flags %i',
    async (flags) => {
      const mounted = procMkdir(`${name} ${flags}`, 0o755, tree.root);
      kinds[name]?.(mounted);
      const fd = must(await client.sys.open(join(tree.path(mounted.name), name), flags));
      const seen = await play(ofClient(client, fd), (flags & O_APPEND) !== 0);
      await client.sys.close(fd);

      const root = ProcDirEntry.root();
      kinds[name]?.(root);
      await using file = await openEntry(root, name, { flags });
      expect(await play(ofTest(file), (flags & O_APPEND) !== 0)).toEqual(seen);
    },
  );
});

test('a test needs no privileges', async () => {
  const { status, stdout, stderr } = await runAsNobody(
    process.execPath,
    join(import.meta.dirname, 'testing-program.mjs'),
  );
  expect([status, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(/pass 1$/m);
});
