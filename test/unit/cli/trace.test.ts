import { describe, expect, test } from 'vitest';
import { parseFilter } from '../../../src/cli/parse-filter.ts';
import { traceLine } from '../../../src/cli/trace-line.ts';

describe('a filter', () => {
  test('is made of operations, one path, and whether it failed', () => {
    const filter = ['read,Write', 'failed', '/a,b/'].reduce(
      (before, text) => parseFilter(text, before),
      parseFilter('getxattr'),
    );
    expect(filter).toEqual({ operations: ['GETXATTR', 'READ', 'WRITE'], failed: true, path: '/a,b' });
    expect(parseFilter('/')).toEqual({ path: '/' });
  });

  test.each(['', 'frob', 'read,', 'a/b'])('cannot be %j', (text) => {
    expect(() => parseFilter(text)).toThrow(/^It must be operations/);
  });
});

describe('a line', () => {
  const event = { path: '/a', uid: 4_000_000, gid: 0, tid: 12, result: 0, error: undefined, at: 0, ms: 1.5 };
  const lineOf = (operation: string, details: Record<string, number>, more: object = {}) =>
    traceLine({ ...event, operation, details, ...more }).replace(/^\S+ /, '');

  test('says who, what, the answer and how long it took', () => {
    expect(lineOf('READ', { size: 1, offset: 2 }, { result: 1 })).toBe(
      '[pid 12, 4000000] READ("/a", size=1, offset=2) = 1 <0.001500>',
    );
    expect(
      traceLine({ ...event, operation: 'READ', details: {}, at: Date.UTC(2026, 0, 1) + 0.0625 }),
    ).toMatch(/^\d\d:\d\d:00\.000062 /);
  });

  test.each([
    ['OPEN', { flags: 0o100001 | 0o2000 }, '"/a", flags=O_WRONLY|O_APPEND'],
    ['OPEN', { flags: 0o10000002 }, '"/a", flags=O_RDWR|0x200000'],
    [
      'SETATTR',
      { valid: 1 | 2 | 16, size: 3, mode: 0o100600, uid: 5, gid: 6 },
      '"/a", mode=0600, uid=5, atime',
    ],
    ['FALLOCATE', { mode: 0, offset: 1, length: 2 }, '"/a", mode=0, offset=1, length=2'],
    ['SETLK', { type: 1, start: 0, end: 9 }, '"/a", type=F_WRLCK, start=0, end=9'],
    ['IOCTL', { cmd: 0x5401, in_size: 0 }, '"/a", cmd=0x5401, in_size=0'],
  ])('has the arguments of %s in words', (operation, details, words) => {
    expect(lineOf(operation, details)).toBe(`[pid 12, 4000000] ${operation}(${words}) = 0 <0.001500>`);
  });

  test('tells of errors by name, of no answer, and of nobody', () => {
    expect(lineOf('READ', {}, { result: undefined, error: 'EIO' })).toContain('READ("/a") = EIO <');
    expect(lineOf('FORGET', { nlookup: 1 }, { path: '', tid: 0, result: undefined })).toBe(
      '[pid ?] FORGET(nlookup=1) = ? <0.001500>',
    );
    expect(lineOf('POLL', { events: 5 }, { result: 1 })).toContain(
      'POLL("/a", events=POLLIN|POLLOUT) = POLLIN <',
    );
  });

  test('stays one, whatever a file is called', () => {
    expect(lineOf('LOOKUP', {}, { path: '/a\n"\x1b' })).toContain('LOOKUP("/a\\n\\"\\u001b")');
  });
});
