import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Fields, struct } from '../../../src/abi/c-struct.ts';

const MAX = Number.MAX_SAFE_INTEGER;

/** What each type holds exactly. */
const values = {
  u16: fc.integer({ min: 0, max: 2 ** 16 - 1 }),
  u32: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  i32: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  u64: fc.maxSafeNat(),
  i64: fc.maxSafeInteger(),
};

const field = fc
  .constantFrom(...(Object.keys(values) as (keyof typeof values)[]))
  .chain((type) => values[type].map((value) => ({ type, value })));

/** A field's bytes as C writes them, by a way of its own: BigInt, one byte after the other. */
function littleEndian(value: number, size: number): number[] {
  const bits = BigInt.asUintN(size * 8, BigInt(value));
  return Array.from({ length: size }, (_, i) => Number((bits >> BigInt(i * 8)) & 0xffn));
}

const width = { u16: 2, u32: 4, i32: 4, u64: 8, i64: 8 };

describe('a struct', () => {
  test('gives back the values that were set, and lays them out as C does, whatever its fields are', () => {
    fc.assert(
      fc.property(fc.array(field, { minLength: 1, maxLength: 12 }), fc.nat(40), (list, base) => {
        const fields = Object.fromEntries(list.map(({ type }, i) => [`f${i}`, type]));
        const layout = struct(fields);
        const bytes = new Uint8Array(base + layout.size + 8).fill(0xee);
        const seen = layout.at(new DataView(bytes.buffer), base);
        const expected = new Uint8Array(bytes);
        let offset = 0;
        for (const [i, { type, value }] of list.entries()) {
          seen[`f${i}`] = value;
          const size = width[type];
          offset = offset % size === 0 ? offset : offset + size - (offset % size);
          expected.set(littleEndian(value, size), base + offset);
          offset += size;
        }
        for (const [i, { value }] of list.entries()) expect(seen[`f${i}`]).toBe(value);
        expect(bytes).toEqual(expected);
        const alignment = Math.max(...list.map(({ type }) => width[type]));
        expect(layout.size % alignment).toBe(0);
        expect(layout.size - offset).toBeGreaterThanOrEqual(0);
        expect(layout.size - offset).toBeLessThan(alignment);
      }),
      { numRuns: 500 },
    );
  });

  test('sees and changes the bytes themselves', () => {
    const bytes = new Uint8Array(8);
    const layout = struct({ value: 'u64' });
    const one = layout.at(new DataView(bytes.buffer), 0);
    const other = layout.at(new DataView(bytes.buffer), 0);
    one.value = MAX;
    expect(other.value).toBe(MAX);
    bytes[0] = 0;
    expect(one.value).toBe(MAX - 255);
  });
});

describe('a 64-bit field', () => {
  const at = (type: Fields[string], value: bigint) => {
    const view = new DataView(new ArrayBuffer(8));
    view.setBigUint64(0, BigInt.asUintN(64, value), true);
    return struct({ value: type }).at(view, 0).value;
  };
  const safe = BigInt(MAX);

  test('decodes every unsigned value exactly, or to a number that is no safe integer', () => {
    const near = fc.bigInt({ min: safe - 2000n, max: safe + 2000n });
    const any = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
    fc.assert(
      fc.property(fc.oneof(near, any), (value) => {
        const decoded = at('u64', value);
        if (value <= safe) expect(decoded).toBe(Number(value));
        else expect(Number.isSafeInteger(decoded)).toBe(false);
      }),
      { examples: [[safe], [safe + 1n], [safe + 2n], [2n ** 63n - 1n], [2n ** 63n], [2n ** 64n - 1n]] },
    );
  });

  test('decodes every signed value exactly, or to a number that is no safe integer', () => {
    const near = fc.bigInt({ min: safe - 2000n, max: safe + 2000n });
    const any = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
    fc.assert(
      fc.property(
        fc.oneof(
          near,
          near.map((value) => -value),
          any,
        ),
        (value) => {
          const decoded = at('i64', value);
          if (value <= safe && value >= -safe) expect(decoded).toBe(Number(value));
          else expect(Number.isSafeInteger(decoded)).toBe(false);
          expect(decoded < 0).toBe(value < 0n);
        },
      ),
      { examples: [[-1n], [-safe], [-safe - 1n], [-(2n ** 63n)], [2n ** 63n - 1n]] },
    );
  });
});
