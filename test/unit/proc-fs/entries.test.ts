import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { NOBODY } from '../../../src/proc-fs/caller.ts';
import { ProcDirEntry } from '../../../src/proc-fs/entries/entry.ts';
import { procCreate, procMkdir, procRoot } from '../../../src/proc-fs/entries/proc-create.ts';
import type { Attr } from '../../../src/proc-fs/handler.ts';
import { ProcOps } from '../../../src/proc-fs/proc-ops.ts';
import { EEXIST, EINVAL, EIO, ENAMETOOLONG, ENOENT, ENOTDIR, Errno } from '../../../src/sys/errno.ts';
import { UTIME_NOW } from '../../../src/sys/time.ts';
import { errnoOf } from '../support.ts';

const ops = new ProcOps({});

function attrOf(entry: ProcDirEntry): Attr {
  const attr = entry.getattr(NOBODY);
  if (attr instanceof Promise) throw new TypeError('These attributes are there at once.');
  if (typeof attr === 'number') throw new Errno(-attr);
  return attr;
}

describe('names', () => {
  test.each([
    ['an empty one', '', ENOENT],
    ['.', '.', EEXIST],
    ['..', '..', EEXIST],
    ['one with a slash', 'a/b', EINVAL],
    ['one with a NUL', 'a\0b', EINVAL],
    ['one that has no bytes in UTF-8', 'a\ud800', EINVAL],
    ['256 bytes', 'x'.repeat(256), ENAMETOOLONG],
    ['256 bytes of fewer characters', 'é'.repeat(128), ENAMETOOLONG],
  ])('%s is refused', (_, name, errno) => {
    const root = ProcDirEntry.root();
    expect(errnoOf(() => procCreate(name, 0o644, root, ops))).toBe(errno);
    expect(errnoOf(() => procMkdir(name, 0o755, root))).toBe(errno);
    expect([...root.children]).toEqual([]);
  });

  test('255 bytes are fine, whatever characters they make', () => {
    const root = ProcDirEntry.root();
    for (const name of ['x'.repeat(255), `x${'é'.repeat(127)}`, '...', ' ', '\n', '\u{1f600}']) {
      expect(procCreate(name, 0o644, root, ops)).toBe(root.child(name));
    }
  });

  test('a name that is there is EEXIST, for files and directories', () => {
    const root = ProcDirEntry.root();
    const file = procCreate('name', 0o644, root, ops);
    expect(errnoOf(() => procCreate('name', 0o644, root, ops))).toBe(EEXIST);
    expect(errnoOf(() => procMkdir('name', 0o755, root))).toBe(EEXIST);
    expect(root.child('name')).toBe(file);
    file[Symbol.dispose]();
    expect(procMkdir('name', 0o755, root).kind).toBe('directory');
  });

  test('nothing can be created below a file', () => {
    const file = procCreate('file', 0o644, ProcDirEntry.root(), ops);
    expect(errnoOf(() => procCreate('below', 0o644, file, ops))).toBe(ENOTDIR);
    expect(errnoOf(() => procMkdir('below', 0o755, file))).toBe(ENOTDIR);
  });

  test('nothing can be created in a directory that was removed, or below one', () => {
    const top = procMkdir('top', 0o755, ProcDirEntry.root());
    const below = procMkdir('below', 0o755, top);
    top[Symbol.dispose]();
    for (const directory of [top, below]) {
      expect(errnoOf(() => procCreate('file', 0o644, directory, ops))).toBe(ENOENT);
    }
  });
});

describe('the tree', () => {
  test('without a parent, entries stand in procRoot', () => {
    using file = procCreate('at the top', 0o644, null, ops);
    using directory = procMkdir('directory at the top', 0o755, null);
    expect(file.parent).toBe(procRoot);
    expect([...procRoot.children]).toEqual([file, directory]);
  });

  test("a root's parent is itself, and its inode number 1; no other entry has that, or another's", () => {
    const root = ProcDirEntry.root();
    expect(root.parent).toBe(root);
    expect(root.ino).toBe(1);
    const seen = new Set([1]);
    for (let i = 0; i < 10; i++) {
      const file = procCreate('again', 0o644, root, ops);
      expect(seen.has(file.ino)).toBe(false);
      seen.add(file.ino);
      file[Symbol.dispose]();
    }
  });

  test('has the same inode numbers whatever other trees there are, so that a recorded session can be replayed', () => {
    const numbers = () => {
      const root = ProcDirEntry.root();
      const directory = procMkdir('directory', 0o755, root);
      return [directory, procCreate('file', 0o644, directory, ops)].map(({ ino }) => ino);
    };
    expect(numbers()).toEqual(numbers());
  });

  test('a directory has a link for itself, one for its name, and one for each directory in it', () => {
    const root = ProcDirEntry.root();
    expect(root.nlink).toBe(2);
    const directory = procMkdir('directory', 0o755, root);
    expect(procCreate('file', 0o644, root, ops).nlink).toBe(1);
    expect([root.nlink, directory.nlink]).toEqual([3, 2]);
    directory[Symbol.dispose]();
    expect(root.nlink).toBe(2);
  });

  test('holds what a map of names would, whatever is created and removed', () => {
    const step = fc.record({
      name: fc.constantFrom('a', 'b', 'c', 'd'),
      act: fc.constantFrom('create', 'mkdir', 'remove'),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const root = ProcDirEntry.root();
        const model = new Map<string, ProcDirEntry>();
        for (const { name, act } of steps) {
          if (act === 'remove') {
            model.get(name)?.[Symbol.dispose]();
            model.delete(name);
          } else {
            const failed = errnoOf(() => {
              const entry = act === 'create' ? procCreate(name, 0, root, ops) : procMkdir(name, 0, root);
              model.set(name, entry);
            });
            expect(failed === EEXIST).toBe(failed !== undefined);
          }
          expect([...root.children]).toEqual([...model.values()]);
          expect(root.nlink).toBe(2 + [...model.values()].filter(({ kind }) => kind === 'directory').length);
        }
      }),
    );
  });
});

describe('disposing', () => {
  test('removes an entry once, and never the one that took its name', () => {
    const root = ProcDirEntry.root();
    const first = procCreate('name', 0o644, root, ops);
    first[Symbol.dispose]();
    expect(root.child('name')).toBeUndefined();
    const second = procCreate('name', 0o644, root, ops);
    first[Symbol.dispose]();
    expect(root.child('name')).toBe(second);
  });

  test('of a directory removes all that is below it, the lowest first, and tells who watches the root', () => {
    const root = ProcDirEntry.root();
    const top = procMkdir('top', 0o755, root);
    const middle = procMkdir('middle', 0o755, top);
    const file = procCreate('file', 0o644, middle, ops);
    const sibling = procCreate('sibling', 0o644, top, ops);
    const removed = vi.fn();
    root.watch({ adding: () => {}, removed, changed: () => {} });
    top[Symbol.dispose]();
    expect(removed.mock.calls).toEqual([
      [middle, file],
      [top, middle],
      [top, sibling],
      [root, top],
    ]);
    for (const directory of [root, top, middle]) expect([...directory.children]).toEqual([]);
    for (const entry of [top, middle, file, sibling]) entry[Symbol.dispose]();
    expect(removed).toHaveBeenCalledTimes(4);
  });

  test('tells each watcher, with the name already gone, until the watch is disposed', () => {
    const root = ProcDirEntry.root();
    const seen: unknown[] = [];
    const removed = (parent: ProcDirEntry, { name }: ProcDirEntry) => seen.push(name, parent.child(name));
    const watch = root.watch({ adding: () => {}, removed, changed: () => {} });
    root.watch({ adding: () => {}, removed, changed: () => {} });
    procCreate('one', 0o644, root, ops)[Symbol.dispose]();
    expect(seen).toEqual(['one', undefined, 'one', undefined]);
    watch[Symbol.dispose]();
    procCreate('two', 0o644, root, ops)[Symbol.dispose]();
    expect(seen.slice(4)).toEqual(['two', undefined]);
  });

  test('of a root removes nothing', () => {
    const root = ProcDirEntry.root();
    const file = procCreate('file', 0o644, root, ops);
    root[Symbol.dispose]();
    expect(root.child('file')).toBe(file);
  });
});

describe('attributes', () => {
  test('start with the mode that was asked for, the owner of this process, and the present', () => {
    const before = Math.floor(Date.now() / 1000);
    const attr = attrOf(procCreate('file', 0o104_640, ProcDirEntry.root(), ops));
    expect(attr).toMatchObject({ mode: 0o4640, size: 0, blocks: 0, blksize: 4096 });
    expect([attr.uid, attr.gid]).toEqual([process.getuid?.(), process.getgid?.()]);
    for (const time of [attr.atime, attr.mtime, attr.ctime]) expect(time.sec).toBeGreaterThanOrEqual(before);
  });

  test('change as asked, and ctime with them; what is missing stays', () => {
    vi.useFakeTimers({ now: 1_000_000_000_000 });
    try {
      const entry = procCreate('file', 0o644, ProcDirEntry.root(), ops);
      const created = attrOf(entry);
      vi.setSystemTime(1_000_000_001_234);
      const present = { sec: 1_000_000_001, nsec: 234_000_000 };
      expect(entry.setattr({ mode: 0o600, uid: 5 }, NOBODY)).toBe(0);
      expect(attrOf(entry)).toEqual({ ...created, mode: 0o600, uid: 5, ctime: present });
      const long = { sec: -5, nsec: 7 };
      expect(entry.setattr({ atime: long, mtime: { sec: 0, nsec: UTIME_NOW } }, NOBODY)).toBe(0);
      expect(attrOf(entry)).toMatchObject({ mode: 0o600, atime: long, mtime: present, ctime: present });
    } finally {
      vi.useRealTimers();
    }
  });

  test('are a copy: what the caller does to them changes nothing', () => {
    const entry = procCreate('file', 0o644, ProcDirEntry.root(), ops);
    attrOf(entry).mode = 0;
    expect(attrOf(entry).mode).toBe(0o644);
  });

  test('a directory changes when an entry comes or goes', () => {
    vi.useFakeTimers({ now: 1_000_000 });
    try {
      const root = ProcDirEntry.root();
      vi.setSystemTime(2_000_000);
      const file = procCreate('file', 0o644, root, ops);
      expect(attrOf(root)).toMatchObject({
        atime: { sec: 1000 },
        mtime: { sec: 2000 },
        ctime: { sec: 2000 },
      });
      vi.setSystemTime(3_000_000);
      file[Symbol.dispose]();
      expect(attrOf(root)).toMatchObject({
        atime: { sec: 1000 },
        mtime: { sec: 3000 },
        ctime: { sec: 3000 },
      });
    } finally {
      vi.useRealTimers();
    }
  });

  test("are the handler's own when it has some", () => {
    const own = { ...attrOf(ProcDirEntry.root()), size: 123 };
    const setattr = vi.fn();
    const entry = procCreate('own', 0o644, ProcDirEntry.root(), new ProcOps({ getattr: () => own, setattr }));
    expect(entry.getattr(NOBODY)).toEqual(own);
    expect(entry.setattr({ uid: 1 }, NOBODY)).toBe(0);
    expect(setattr).toHaveBeenCalledExactlyOnceWith({ uid: 1 }, NOBODY);
  });

  test('are an error when the handler throws one', () => {
    const refuse = () => {
      throw new Errno(EIO);
    };
    const entry = procCreate(
      'broken',
      0,
      ProcDirEntry.root(),
      new ProcOps({ getattr: refuse, setattr: refuse }),
    );
    expect([entry.getattr(NOBODY), entry.setattr({}, NOBODY)]).toEqual([-EIO, -EIO]);
  });
});
