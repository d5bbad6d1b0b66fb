import { openSync } from 'node:fs';
import { constants } from 'node:os';
import { expect, test } from 'vitest';
import { EACCES, EAGAIN, ENOMEM, EPERM, Errno } from '../../../src/sys/errno.ts';
import { reason } from '../../../src/text/reason.ts';

const { EMFILE, ENFILE } = constants.errno;

/** What a call throws. */
function thrown(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  throw new Error('Nothing was thrown.');
}

test('a system call that failed, ours or one of Node, is its code, what that means, and what to do', () => {
  expect(reason(new Errno(EACCES, 'open'), 'choose another')).toBe(
    'EACCES, permission denied; choose another',
  );
  expect(reason(thrown(() => openSync('/none', 'r')))).toBe('ENOENT, no such file or directory');
});

test('root is told what it needs, where nobody knows better', () => {
  expect(reason(new Errno(EPERM))).toBe('EPERM, operation not permitted; root needs CAP_SYS_ADMIN for it');
  expect(reason(new Errno(EPERM), 'choose another')).toBe('EPERM, operation not permitted; choose another');
});

test.each([
  [EAGAIN, 'EAGAIN, resource temporarily unavailable; raise "ulimit -u"'],
  [EMFILE, 'EMFILE, too many open files; raise "ulimit -n"'],
  [ENFILE, 'ENFILE, file table overflow; raise "sysctl fs.file-max"'],
  [ENOMEM, 'ENOMEM, not enough memory; free some, or raise "ulimit -v"'],
])('a limit that any call may run into is told, and not what the call was for: %#', (errno, expected) => {
  expect(reason(new Errno(errno), 'choose another')).toBe(expected);
});

test.each([
  ['Worker initialization failure: EMFILE', 'EMFILE, too many open files; raise "ulimit -n"'],
  ['EAGAIN', 'EAGAIN, resource temporarily unavailable; raise "ulimit -u"'],
])('a worker that could not be started is told like the call that failed: %s', (message, expected) => {
  expect(reason(new Error(message))).toBe(expected);
});

test('what else was thrown says what it says, as the end of a sentence', () => {
  expect(reason(new Error('it is broken.'), 'choose another')).toBe('it is broken');
  expect(reason('text')).toBe('text');
});
