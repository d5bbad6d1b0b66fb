import { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { addFlags, type Row, type Rows } from '../../../src/cli/option.ts';
import {
  mountOptionItems,
  mountRows,
  parseMountOptions,
  unmountRows,
  valueName,
} from '../../../src/cli/options.ts';
import { UsageError } from '../../../src/cli/usage-error.ts';
import { mountWords } from '../../../src/mount/options.ts';

/** What flags say, as the command gets it. */
function flags(rows: Rows, ...words: string[]): object {
  const command = addFlags(new Command('test'), rows).exitOverride();
  return command.parse(words, { from: 'user' }).opts();
}

const mountTable: readonly [string, Row][] = Object.entries(mountRows);
const keyed = mountTable.filter(([, { keys }]) => keys !== undefined);

/** A value that each parser takes, and another. */
const values: Record<string, readonly [string, string]> = {
  name: ['a', 'b'],
  mode: ['600', '0640'],
  uid: ['1', '2'],
  gid: ['1', '2'],
  maxSize: ['1k', '2G'],
  file: ['a', 'b:0600=1k'],
  from: ['-', '/dev/fd/7'],
  io: ['direct', 'cached'],
  threads: ['1', '64'],
  transport: ['kernel', 'libfuse'],
  channel: ['auto', 'uring'],
  log: ['a', 'b'],
  record: ['a', 'b'],
  fsname: ['a', ''],
  on: ['redis://localhost', 'unix:///run/redis.sock'],
  key: ['a', 'b'],
  passwordFile: ['a', 'b'],
  timeout: ['5', '0.25'],
  replicas: ['0', '2'],
  locks: ['shared', 'local'],
  setuid: ['root', 'nobody'],
};

describe('the table of options', () => {
  test('has a flag or a key for each row, no two the same, and says what each is for', () => {
    for (const rows of [mountRows, unmountRows] as Rows[]) {
      const table = Object.values(rows);
      const names = table.flatMap(({ flag, keys = [] }) => [
        ...(flag?.match(/(?<!\S)--?[\w-]+/g) ?? []),
        ...keys,
      ]);
      expect(new Set(names).size).toBe(names.length);
      for (const { flag, keys, help } of table) {
        expect(flag ?? keys?.[0]).toBeDefined();
        expect(help).toMatch(/^[^A-Z].*[^.]$/);
      }
    }
  });

  test('calls its rows as commander calls their flags', () => {
    for (const rows of [mountRows, unmountRows] as Rows[]) {
      const { options } = addFlags(new Command('test'), rows);
      const flagged = Object.keys(rows).filter((name) => rows[name]?.flag !== undefined);
      expect(options.map((option) => option.attributeName())).toEqual(flagged);
    }
  });

  test.each(keyed)('%s says the same as a flag and behind -o', (name, { flag, keys = [], parse }) => {
    const [long = ''] = flag?.match(/--\S+/) ?? [];
    for (const value of parse === undefined ? [undefined] : (values[name] ?? [])) {
      const expected = parse === undefined || value === undefined ? true : parse(value);
      if (flag !== undefined) {
        expect(flags(mountRows, long, ...(value === undefined ? [] : [value]))).toEqual({ [name]: expected });
      }
      for (const key of keys) {
        const option = value === undefined ? key : `${key}=${value}`;
        expect(parseMountOptions(option)).toEqual({ [name]: expected, words: [] });
      }
    }
  });

  test('refuses a wrong value with a sentence that has it as it was written', () => {
    expect(() => flags(mountRows, '-m', '9')).toThrow(
      new UsageError('Cannot use "--mode 9": It must be an octal number up to 7777, such as 0644.'),
    );
    expect(() => parseMountOptions('ro,mode=9')).toThrow(
      new UsageError('Cannot use "-o mode=9": It must be an octal number up to 7777, such as 0644.'),
    );
  });

  test('says all that -o takes', () => {
    const terms = mountOptionItems().flatMap(([term]) => term.split(', '));
    const all = keyed.flatMap(([, { keys = [], flag, value = valueName(flag) }]) =>
      keys.map((key) => (value === undefined ? key : `${key}=${value}`)),
    );
    expect(terms.slice(0, all.length + mountWords.flat().length)).toEqual([...all, ...mountWords.flat()]);
    for (const term of terms) {
      const [key = '', value] = term.split('=');
      const row = keyed.find(([, { keys }]) => keys?.includes(key));
      const option = row && value ? `${key}=${values[row[0]]?.[0]}` : term;
      expect(() => parseMountOptions(option)).not.toThrow();
    }
  });
});

test('several -o add up, the later one holds, and words keep their order', () => {
  const options = flags(mountRows, '-o', 'ro,mode=600,size=1k', '-o', 'defaults,rw,mode=640');
  expect(options).toEqual({ options: { mode: 0o640, maxSize: 1024, words: ['ro', 'rw'] } });
});

test('a comma within a value is written \\,', () => {
  expect(parseMountOptions(String.raw`name=a\,b,ro`)).toEqual({ name: 'a,b', words: ['ro'] });
});

test('what is for mount(8) and systemd is passed over, and what stands in double quotes is one value', () => {
  const text =
    'noauto,user=joe,_netdev,x-systemd.automount,X-a.b=c,comment=d,subtype=ramproc,,context="a:b,c",ro';
  expect(parseMountOptions(text)).toEqual({ words: ['ro'] });
  expect(() => parseMountOptions('subtype=other')).toThrow('The mount option "subtype" is unknown.');
  expect(parseMountOptions('subtype=other,ro', {}, true)).toEqual({ words: ['ro'] });
});

describe('a user and a group', () => {
  test.each([
    ['--uid', 'root', { uid: 0 }],
    ['--uid', '0', { uid: 0 }],
    ['--gid', 'root', { gid: 0 }],
    ['--gid', '4294967294', { gid: 2 ** 32 - 2 }],
  ])('%s %s is read', (flag, word, expected) => {
    expect(flags(mountRows, flag, word)).toEqual(expected);
  });

  test.each([
    ['--uid', 'nobody-of-that-name'],
    ['--uid', '4294967295'],
    ['--uid', '-1'],
    ['--gid', ''],
  ])('%s %j is refused', (flag, word) => {
    expect(() => flags(mountRows, flag, word)).toThrow(/It must be a (user|group)'s name or number\.$/);
  });
});
