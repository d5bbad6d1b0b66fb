import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Whence } from '../../../src/proc-fs/whence.ts';
import { EINVAL } from '../../../src/sys/errno.ts';
import { errnoOf } from '../support.ts';

test("lseek(2)'s five numbers are the five variants", () => {
  const { SeekSet, SeekCur, SeekEnd, SeekData, SeekHole } = Whence;
  expect([0, 1, 2, 3, 4].map(Whence.fromRaw)).toEqual([SeekSet, SeekCur, SeekEnd, SeekData, SeekHole]);
});

test('any other number is EINVAL', () => {
  const other = fc.oneof(
    fc.integer().filter((n) => n < 0 || n > 4),
    fc.double().filter((n) => ![0, 1, 2, 3, 4].includes(n)),
  );
  fc.assert(
    fc.property(other, (n) => {
      expect(errnoOf(() => Whence.fromRaw(n))).toBe(EINVAL);
    }),
  );
});
