import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { UserSliceReader, UserSliceWriter } from '../../../src/proc-fs/user-slice.ts';
import { EFAULT } from '../../../src/sys/errno.ts';
import { errnoOf } from '../support.ts';

/** What surrounds the window: it must neither turn up inside nor change. */
const OUTSIDE = 0xee;
const MARGIN = 16;

function memory(length: number): Uint8Array {
  const bytes = new Uint8Array(MARGIN + length + MARGIN).fill(OUTSIDE);
  for (let i = 0; i < length; i++) bytes[MARGIN + i] = i % 200;
  return bytes;
}

const sizes = fc.record({
  window: fc.nat(64),
  transfers: fc.array(fc.nat(40), { maxLength: 8 }),
});

describe('a UserSliceWriter', () => {
  test('takes what fits of each write, in order, and answers EFAULT for what does not', () => {
    fc.assert(
      fc.property(sizes, ({ window, transfers }) => {
        const bytes = memory(window);
        const expected = bytes.slice();
        const writer = new UserSliceWriter().place(bytes, MARGIN, window);
        let done = 0;
        for (const [i, size] of transfers.entries()) {
          const fits = Math.min(size, window - done);
          const failed = errnoOf(() => writer.write(new Uint8Array(size).fill(201 + i)));
          expect(failed).toBe(fits < size ? EFAULT : undefined);
          expected.fill(201 + i, MARGIN + done, MARGIN + done + fits);
          done += fits;
          expect(writer).toMatchObject({
            transferred: done,
            length: window,
            left: window - done,
            start: MARGIN + done,
          });
          expect(bytes).toEqual(expected);
        }
      }),
    );
  });
});

describe('a UserSliceReader', () => {
  test('fills what there is of each read, in order, and answers EFAULT for what is missing', () => {
    fc.assert(
      fc.property(sizes, ({ window, transfers }) => {
        const bytes = memory(window);
        const before = bytes.slice();
        const reader = new UserSliceReader().place(bytes, MARGIN, window);
        let done = 0;
        for (const size of transfers) {
          const fits = Math.min(size, window - done);
          const data = new Uint8Array(size).fill(250);
          expect(errnoOf(() => reader.read(data))).toBe(fits < size ? EFAULT : undefined);
          expect(data.subarray(0, fits)).toEqual(before.subarray(MARGIN + done, MARGIN + done + fits));
          expect(data.subarray(fits).every((byte) => byte === 250)).toBe(true);
          done += fits;
          expect(reader).toMatchObject({ transferred: done, length: window, left: window - done });
        }
        expect(reader.readAll()).toEqual(before.subarray(MARGIN + done, MARGIN + window));
        expect(reader.left).toBe(0);
        expect(bytes).toEqual(before);
      }),
    );
  });

  test('hands out copies: what a handler keeps does not change with the next request', () => {
    const bytes = memory(4);
    const kept = new UserSliceReader().place(bytes, MARGIN, 4).readAll();
    bytes.fill(0);
    expect([...kept]).toEqual([0, 1, 2, 3]);
  });
});

describe('either window', () => {
  test('refuses to be moved out of its bounds by a handler, and counts nothing then', () => {
    for (const count of [5, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
      const writer = new UserSliceWriter().place(memory(4), MARGIN, 4);
      expect(errnoOf(() => writer.advance(count))).toBe(EFAULT);
      expect(writer).toMatchObject({ start: MARGIN, length: 4, transferred: 0 });
    }
  });

  test('starts anew when it is placed again', () => {
    const writer = new UserSliceWriter().place(memory(8), MARGIN, 8);
    writer.advance(3);
    const other = memory(2);
    writer.place(other, MARGIN, 2);
    expect(writer).toMatchObject({ bytes: other, start: MARGIN, length: 2, transferred: 0 });
  });
});
