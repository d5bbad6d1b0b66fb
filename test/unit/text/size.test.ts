import { expect, test } from 'vitest';
import { exactSize, size } from '../../../src/text/size.ts';

test.for([
  [0, '0 B'],
  [1000, '1000 B'],
  [1023, '1023 B'],
  [1024, '1 KiB'],
  [1536, '1.5 KiB'],
  [2 ** 20 - 1, '1 MiB'],
  [1020.4 * 1024, '1020 KiB'],
  [12_662_190_080, '11.8 GiB'],
  [2 ** 53, '8 PiB'],
] as const)('%d bytes are %s for people', ([bytes, text]) => {
  expect(size(bytes)).toBe(text);
});

test('sizes that are near each other differ where they are compared', () => {
  expect(exactSize(1023)).toBe('1023 bytes');
  expect(exactSize(2 ** 21 + 1)).toBe('2 MiB (2097153 bytes)');
});
