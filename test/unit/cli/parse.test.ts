import { totalmem } from 'node:os';
import { describe, expect, test } from 'vitest';
import { parseFile, parseSize } from '../../../src/cli/parse.ts';

const K = 1024;

describe('a size', () => {
  test.each([
    ['5000', 5000],
    ['1k', K],
    ['1K', K],
    ['1KiB', K],
    ['1kib', K],
    ['1kB', 1000],
    ['1KB', 1000],
    ['1.5G', 1.5 * K ** 3],
    ['1GiB', K ** 3],
    ['1GB', 1000 ** 3],
    ['2m', 2 * K ** 2],
    ['2MB', 2e6],
    ['3T', 3 * K ** 4],
    ['3TB', 3e12],
    ['1P', K ** 5],
    ['0.1k', 103],
    ['25%', Math.ceil(totalmem() / 4)],
    ['0.5%', Math.ceil(totalmem() / 200)],
    ['9007199254736896', 2 ** 53 - 4096],
  ])('of %s is %d bytes, as for tmpfs and the GNU tools', (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
  });

  test.each([
    '',
    '0',
    '0k',
    '-1',
    '1x',
    '1b',
    '1B',
    '1iB',
    '1%B',
    '1 G',
    '.5G',
    '1.G',
    '1e3',
    '0x10',
    'k',
    '9P',
    '∞',
  ])('can not be %j', (text) => {
    expect(() => parseSize(text)).toThrow('It must be a size of 1 byte or more');
  });
});

describe('one of several files', () => {
  test.each([
    ['a', { name: 'a' }],
    ['a=1k', { name: 'a', maxSize: 1024 }],
    ['a:0600', { name: 'a', mode: 0o600 }],
    ['a=b:c:640=2M', { name: 'a=b:c', mode: 0o640, maxSize: 2 ** 21 }],
  ])('%j is split at the last "=", and at the last ":" before it', (text, file) => {
    expect(parseFile(text, [{ name: 'before' }])).toEqual([
      { name: 'before' },
      { mode: undefined, maxSize: undefined, ...file },
    ]);
  });

  test.each(['', '=1k', ':600', 'a/b=1k', 'a=', 'a=x', 'a:rw=1k', 'a:b'])('%j is none', (text) => {
    expect(() => parseFile(text)).toThrow(/^It must /);
  });
});
