import { constants } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  _IO,
  _IOWR,
  dir,
  Errno,
  file,
  POLLERR,
  POLLIN,
  POLLOUT,
  ProcDirEntry,
  type ProcHandler,
  procCreate,
  procCreateSeq,
  procCreateSingle,
  procDointvecMinmax,
  procMkdir,
  procRemove,
  procSetUser,
  procSymlink,
  RustProcRamFile,
  simpleReadFromBuffer,
  single,
  WaitQueue,
  Whence,
} from '../../../src/index.ts';
import { openEntry } from '../../../src/testing.ts';

const { O_APPEND, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_RDWR, O_TRUNC, O_WRONLY } = constants;

/** An ordinary user, and what is theirs in the tree of these tests. */
const USER = 1000;

const fails = (code: string) => expect.objectContaining({ code });

/** A tree with one file. */
function treeOf<P>(handler: ProcHandler<P>, mode = 0o666): ProcDirEntry {
  const root = ProcDirEntry.root();
  procCreate('file', mode, root, handler);
  return root;
}

/** A log that blocks. */
function logTree() {
  const lines: string[] = [];
  const queue = new WaitQueue();
  const ends: string[] = [];
  const root = treeOf({
    async read(_file, to, _offset, caller) {
      try {
        to.write(Buffer.from(await queue.waitEvent(() => lines.shift(), caller)));
      } catch (error) {
        ends.push(`${(error as Errno).code} ${caller.signal.aborted}`);
        throw error;
      }
    },
    poll(open, wake) {
      queue.pollWait(open, wake);
      return lines.length > 0 ? POLLIN : 0;
    },
  });
  const log = (line: string) => {
    lines.push(line);
    queue.wake();
  };
  return { root, log, ends };
}

describe('a path', () => {
  const root = ProcDirEntry.root();
  procCreateSingle('file', 0o444, root, () => 'file\n');
  const below = procMkdir('below', 0o555, root);
  procCreateSingle('deep', 0o444, below, () => 'deep\n');
  procSymlink('link', root, 'below/deep');
  procSymlink('up', below, '../file');
  procSymlink('loop', root, 'loop');
  procSymlink('out', root, '/etc/passwd');
  procSymlink('self', root, ({ pid }) => `jobs/${pid}/state`);
  procMkdir('jobs', 0o555, root, {
    lookup: async (id) =>
      /^\d+$/.test(id) ? dir(0o555, { state: single(0o444, () => `${id}\n`) }) : undefined,
  });

  test.each([
    ['file', 'file\n'],
    ['/file', 'file\n'],
    ['./below//deep', 'deep\n'],
    ['below/../file', 'file\n'],
    ['../../file', 'file\n'],
    ['link', 'deep\n'],
    ['below/up', 'file\n'],
    ['jobs/7/state', '7\n'],
    ['self', `${process.pid}\n`],
  ])('%s leads to its file', async (path, text) => {
    await using open = await openEntry(root, path);
    expect(await open.text()).toBe(text);
  });

  test.each([
    ['', 'ENOENT'],
    ['none', 'ENOENT'],
    ['none/file', 'ENOENT'],
    ['file/none', 'ENOTDIR'],
    ['file/', 'ENOTDIR'],
    ['below', 'EISDIR'],
    ['loop', 'ELOOP'],
    ['jobs/x', 'ENOENT'],
  ])('%s is %s', async (path, code) => {
    await expect(openEntry(root, path)).rejects.toEqual(fails(code));
  });

  test('of a link is ELOOP for who follows none, and a sentence where it leads out of the tree', async () => {
    await expect(openEntry(root, 'link', { flags: O_NOFOLLOW })).rejects.toEqual(fails('ELOOP'));
    await expect(openEntry(root, 'out')).rejects.toThrow(
      'Cannot follow the link "out" to "/etc/passwd": it leads out of the tree',
    );
  });
});

describe('who asks', () => {
  const root = ProcDirEntry.root();
  const secrets = procMkdir('secrets', 0o500, root);
  for (const [name, parent, mode] of [
    ['mine', root, 0o600],
    ['group', root, 0o040],
    ['all', root, 0o204],
    ['secret', secrets, 0o444],
  ] as const) {
    procSetUser(
      procCreateSingle(
        name,
        mode,
        parent,
        ({ uid, gid, tid, pid }) => `${uid} ${gid} ${tid} ${pid}\n`,
        () => {},
      ),
      USER,
      USER,
    );
  }
  procSetUser(secrets, USER, USER);
  const as = (uid: number, flags: number) => ({ uid, gid: uid, tid: process.pid, flags });

  test.each([
    ['mine', USER, O_RDWR, undefined],
    ['mine', 0, O_RDWR, undefined],
    ['mine', 7, O_RDONLY, 'EACCES'],
    ['group', USER, O_RDONLY, 'EACCES'],
    ['all', 7, O_RDONLY, undefined],
    ['all', 7, O_WRONLY, 'EACCES'],
    ['all', USER, O_WRONLY, undefined],
    ['all', USER, O_RDONLY, 'EACCES'],
    ['secrets/secret', USER, O_RDONLY, undefined],
    ['secrets/secret', 7, O_RDONLY, 'EACCES'],
  ])('%s, opened by %i with flags %i: %s', async (path, uid, flags, code) => {
    const opened = openEntry(root, path, as(uid, flags));
    if (code !== undefined) await expect(opened).rejects.toEqual(fails(code));
    else await (await opened).close();
  });

  test('is known to the handler', async () => {
    await using open = await openEntry(root, 'all', { uid: 7, gid: 8, tid: process.pid });
    expect(await open.text()).toBe(`7 8 ${process.pid} ${process.pid}\n`);
    await expect(open.write('x')).rejects.toEqual(fails('EBADF'));
  });

  test('may read and write only what they opened it for', async () => {
    await using reads = await openEntry(root, 'mine', as(USER, O_RDONLY));
    await using writes = await openEntry(root, 'mine', as(USER, O_WRONLY));
    await expect(reads.write('x')).rejects.toEqual(fails('EBADF'));
    await expect(writes.read()).rejects.toEqual(fails('EBADF'));
    expect(await writes.write('x')).toBe(1);
  });
});

describe('reads and writes', () => {
  test('are those of the handler, with its errors', async () => {
    const setting = { value: 5 };
    const root = ProcDirEntry.root();
    procDointvecMinmax('setting', 0o644, root, setting, 0, 10);
    await using open = await openEntry(root, 'setting');
    expect(await open.write('7\n')).toBe(2);
    expect(setting.value).toBe(7);
    await expect(open.writeAt(0, '11')).rejects.toEqual(fails('EINVAL'));
    expect(Buffer.from(await open.readAt(0)).toString()).toBe('7\n');
    expect(await open.lseek(0)).toBe(0);
    expect(await open.text()).toBe('7\n');
    expect(await open.read()).toEqual(new Uint8Array());
  });

  test('take one whole write from the start, where there is a store', async () => {
    const stored: string[] = [];
    const root = ProcDirEntry.root();
    procCreateSingle(
      'single',
      0o600,
      root,
      () => 'shown\n',
      (text) => void stored.push(text),
    );
    await using open = await openEntry(root, 'single');
    expect(await open.write('one')).toBe(3);
    await expect(open.write('two')).rejects.toEqual(fails('EINVAL'));
    expect(stored).toEqual(['one']);
  });

  test('come in pieces of a MiB, up to the first that is short', async () => {
    const sizes: number[] = [];
    const bytes = Buffer.alloc(2_500_000, 'abc');
    const root = treeOf({
      lseek: (_file, offset) => offset,
      read(_file, to, offset) {
        sizes.push(to.length);
        simpleReadFromBuffer(to, offset, bytes);
      },
      write(_file, from) {
        sizes.push(from.length);
        from.read(new Uint8Array(Math.min(from.length, 1_000_000)));
      },
    });
    await using open = await openEntry(root, 'file');
    expect(Buffer.compare(await open.read(3_000_000), bytes)).toBe(0);
    expect(await open.writeAt(0, bytes)).toBe(1_000_000);
    expect(sizes).toEqual([1 << 20, 1 << 20, 3_000_000 - (2 << 20), 1 << 20]);
  });

  test('of a mistaken handler are EIO, and are said', async () => {
    const said: unknown[] = [];
    const { error } = console;
    console.error = (one) => said.push(one);
    try {
      const root = treeOf({
        lseek: (_file, offset) => offset,
        read: () => 5,
        write: (_file, from) => {
          from.readAll();
          return 0;
        },
      });
      await using open = await openEntry(root, 'file');
      await expect(open.read()).rejects.toEqual(fails('EIO'));
      await expect(open.write('x')).rejects.toEqual(fails('EIO'));
    } finally {
      console.error = error;
    }
    expect(said.map(String)).toEqual([
      expect.stringMatching(/answered 5; it may answer 0 to 0 here/),
      expect.stringMatching(/return nothing, and what was transferred counts/),
    ]);
  });

  test('reach a RAM file, which O_TRUNC cuts off and O_APPEND makes longer', async () => {
    const root = ProcDirEntry.root();
    using ram = RustProcRamFile.init(root, { maxSize: 1 << 20 });
    ram.writeAt(0, 'old text');
    const { name } = ram.entry;
    await using open = await openEntry(root, name, { flags: O_RDWR | O_TRUNC });
    expect(ram.size).toBe(0);
    expect(await open.write('one')).toBe(3);
    await using appends = await openEntry(root, name, { flags: O_WRONLY | O_APPEND });
    expect(await appends.write(' two')).toBe(4);
    expect(await open.lseek(0)).toBe(0);
    expect(await open.text()).toBe('one two');
    expect([await open.lseek(-3, Whence.SeekEnd), await open.lseek(0, Whence.SeekHole)]).toEqual([4, 7]);
    await expect(open.lseek(7, Whence.SeekData)).rejects.toEqual(fails('ENXIO'));
    await expect(open.lseek(-1, Whence.SeekSet)).rejects.toEqual(fails('EINVAL'));
    await expect(open.lseek(0, 9)).rejects.toEqual(fails('EINVAL'));
  });

  test('of a file without lseek have no offset', async () => {
    await using open = await openEntry(
      treeOf({ read: (_file, to, offset) => to.write(Buffer.from(`${offset}`)) }),
      'file',
    );
    expect(Buffer.from(await open.read()).toString()).toBe('0');
    expect(Buffer.from(await open.read()).toString()).toBe('1');
    await expect(open.readAt(0)).rejects.toEqual(fails('ESPIPE'));
    await expect(open.lseek(0)).rejects.toEqual(fails('ESPIPE'));
  });
});

describe('who waits', () => {
  test('reads what comes, one reader after the other', async () => {
    const { root, log } = logTree();
    await using open = await openEntry(root, 'file');
    const reads = [open.read(), open.read()];
    log('one\n');
    log('two\n');
    expect((await Promise.all(reads)).map((bytes) => Buffer.from(bytes).toString())).toEqual([
      'one\n',
      'two\n',
    ]);
  });

  test('gets EINTR when a signal comes, and the handler learns of it', async () => {
    const { root, log, ends } = logTree();
    await using open = await openEntry(root, 'file');
    const read = open.read();
    open.interrupt();
    await expect(read).rejects.toEqual(fails('EINTR'));
    expect(ends).toEqual(['EINTR true']);
    log('not lost\n');
    expect(Buffer.from(await open.read()).toString()).toBe('not lost\n');
  });

  test('is interrupted when the file is closed', async () => {
    const { root, ends } = logTree();
    const open = await openEntry(root, 'file');
    const read = open.read();
    read.catch(() => {});
    await open.close();
    await expect(read).rejects.toEqual(fails('EINTR'));
    expect(ends).toEqual(['EINTR true']);
    await expect(open.read()).rejects.toEqual(fails('EBADF'));
    await expect(open.poll(POLLIN)).rejects.toEqual(fails('EBADF'));
    await open.close();
  });

  test('gets EAGAIN with O_NONBLOCK, also when that was set later', async () => {
    const { root } = logTree();
    await using open = await openEntry(root, 'file');
    open.flags |= O_NONBLOCK;
    await expect(open.read()).rejects.toEqual(fails('EAGAIN'));
  });

  test('polls until something is there, or it takes too long, or a signal comes', async () => {
    const { root, log } = logTree();
    await using open = await openEntry(root, 'file');
    expect(await open.poll(POLLIN, 0)).toBe(0);
    expect(await open.poll(POLLIN, 1)).toBe(0);
    const polled = open.poll(POLLIN | POLLOUT);
    log('line\n');
    expect(await polled).toBe(POLLIN);
    expect(await open.poll(POLLIN)).toBe(POLLIN);
    await open.read();
    const interrupted = open.poll(POLLIN);
    await Promise.resolve();
    open.interrupt();
    await expect(interrupted).rejects.toEqual(fails('EINTR'));
  });

  test('is told POLLERR where poll fails', async () => {
    const root = treeOf({
      poll() {
        throw new Errno('ENODEV');
      },
    });
    await using open = await openEntry(root, 'file');
    expect(await open.poll(POLLIN)).toBe(POLLERR);
  });
});

test('ioctl passes and gets what its command says', async () => {
  const SWAP = _IOWR('r', 1, 4);
  const root = treeOf({
    ioctl(_file, command, input, output) {
      if (command !== SWAP) throw new Errno('ENOTTY');
      output.write(input.readAll().reverse());
      return 42;
    },
  });
  await using open = await openEntry(root, 'file');
  const data = Uint8Array.of(1, 2, 3, 4);
  expect(await open.ioctl(SWAP, data)).toBe(42);
  expect(data).toEqual(Uint8Array.of(4, 3, 2, 1));
  await expect(open.ioctl(SWAP, new Uint8Array(3))).rejects.toEqual(fails('EFAULT'));
  await expect(open.ioctl(_IO('r', 2))).rejects.toEqual(fails('ENOTTY'));
});

describe('a file is released', () => {
  test('once, when it is closed, and an iterator of it ends', async () => {
    const seen: string[] = [];
    const root = treeOf({
      open: () => 'mine',
      release: ({ privateData }) => void seen.push(`${privateData}`),
    });
    procCreateSeq(
      'rows',
      0o444,
      root,
      function* () {
        try {
          for (;;) yield 'x'.repeat(1000);
        } finally {
          seen.push('ended');
        }
      },
      (row) => row,
    );
    const rows = await openEntry(root, 'rows');
    expect((await rows.read(10)).length).toBe(10);
    await rows.close();
    const open = await openEntry(root, 'file');
    await open.close();
    await open.close();
    expect(seen).toEqual(['ended', 'mine']);
  });

  test('not before, when it is removed: who has it open goes on', async () => {
    const root = ProcDirEntry.root();
    const entry = procCreateSingle('file', 0o444, root, () => 'still there\n');
    await using open = await openEntry(root, 'file');
    procRemove(entry);
    expect(await open.text()).toBe('still there\n');
    await expect(openEntry(root, 'file')).rejects.toEqual(fails('ENOENT'));
  });

  test('of what was looked up and is gone is ESRCH', async () => {
    let isThere = true;
    const root = ProcDirEntry.root({ lookup: () => (isThere ? file(0o444, { read: () => 0 }) : undefined) });
    await using open = await openEntry(root, 'job');
    expect(await open.text()).toBe('');
    isThere = false;
    await expect(open.read()).rejects.toEqual(fails('ESRCH'));
  });
});
