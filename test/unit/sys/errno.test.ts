import { closeSync } from 'node:fs';
import { expect, test } from 'vitest';
import { EBADF, ENOSPC, Errno } from '../../../src/sys/errno.ts';

test('an Errno has the number, its name, its meaning, and the call that failed', () => {
  const error = new Errno(ENOSPC, 'pwrite');
  expect(error).toBeInstanceOf(Error);
  expect(error).toMatchObject({ name: 'Errno', errno: 28, code: 'ENOSPC' });
  expect(error.message).toBe('pwrite: ENOSPC, no space left on device');
  expect(new Errno(ENOSPC).message).toBe('ENOSPC, no space left on device');
});

test('a number without a name is shown as it is', () => {
  expect(new Errno(4000)).toMatchObject({ errno: 4000, code: 'errno 4000' });
});

test("what one of Node's own system calls threw becomes the same Errno", () => {
  let thrown: unknown;
  try {
    closeSync(999_999);
  } catch (error) {
    thrown = Errno.from(error);
  }
  expect(thrown).toBeInstanceOf(Errno);
  expect(thrown).toMatchObject({ errno: EBADF, code: 'EBADF' });
  expect(String(thrown)).toContain('close');
});

test('anything else stays what it is', () => {
  const others = [new Errno(ENOSPC), new TypeError('no'), 'text', undefined, { errno: 1, syscall: 'open' }];
  for (const other of others) expect(Errno.from(other)).toBe(other);
});
