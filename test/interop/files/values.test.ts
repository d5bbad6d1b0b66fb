import { constants } from 'node:fs';
import { Errno, procBlob, procDobool, procDointvecMinmax, procDostring } from 'ramproc';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { must } from '../../support/answer.ts';
import { Client } from '../../support/client.ts';
import { run } from '../../support/mount.ts';
import { Tree } from '../kernel/tree.ts';

const { O_APPEND, O_RDWR, O_TRUNC } = constants;
const CLONE_NEWUTS = 0x04000000;
const CLONE_NEWNET = 0x40000000;

/** In namespaces of its own: what it writes to /proc/sys concerns nobody else. */
let client: Client;
let tree: Tree;
beforeAll(async () => {
  client = await Client.start();
  must(await client.sys.unshare(CLONE_NEWUTS | CLONE_NEWNET));
  tree = await Tree.mount({});
});
afterAll(async () => {
  await client[Symbol.asyncDispose]();
  await tree[Symbol.asyncDispose]();
});

/** What a file then says, whole. */
async function told(path: string): Promise<string> {
  const fd = must(await client.sys.open(path, O_RDWR));
  const text = Buffer.from(must(await client.sys.pread(fd, 1000, 0))).toString('latin1');
  await client.sys.close(fd);
  return text;
}

/** The answer to each of several writes, made one after the other with one descriptor, and what the file says then. */
async function writes(path: string, first: string, texts: readonly string[], flags = 0): Promise<unknown[]> {
  const { sys } = client;
  const answers: unknown[] = [];
  const fd = must(await sys.open(path, O_RDWR));
  must(await sys.pwrite(fd, first, 0));
  await sys.close(fd);
  const other = must(await sys.open(path, O_RDWR | flags));
  for (const text of texts) answers.push(await sys.write(other, Buffer.from(text, 'latin1')));
  await sys.close(other);
  return [...answers, await told(path)];
}

/** Reads in pieces, at offsets and around, and seeks. */
async function reads(path: string): Promise<unknown[]> {
  const { sys } = client;
  const fd = must(await sys.open(path, O_RDWR));
  const answers = [
    await sys.read(fd, 1),
    await sys.read(fd, 100),
    await sys.read(fd, 100),
    await sys.lseek(fd, 0, 0),
    await sys.read(fd, 3),
    await sys.pread(fd, 100, 1),
    await sys.pread(fd, 100, 2),
    await sys.pread(fd, 100, 1000),
    await sys.lseek(fd, 2, 1),
    await sys.lseek(fd, 0, 2),
    await sys.lseek(fd, 0, 3),
    await sys.lseek(fd, 0, 4),
    await sys.lseek(fd, -1, 0),
    await sys.ftruncate(fd, 1),
    await sys.pread(fd, 100, 0),
    (({ size, blocks }) => ({ size, blocks }))(must(await sys.fstat(fd))),
  ];
  await sys.close(fd);
  return answers;
}

const numbers = [
  ...[
    '5',
    '5\n',
    ' 5 ',
    '5 \n\n',
    '\t5',
    '\v5',
    '5\v',
    '\xa05',
    '\r\n5',
    'x',
    ' ',
    '\n',
    '-',
    '-5',
    '- 5',
    '+5',
  ],
  ...[
    '0',
    '-0',
    '00',
    '010',
    '08',
    '0x10',
    '0X1f',
    '0x',
    '-0x10',
    '0xg',
    '5x',
    '5,',
    '5 6',
    '5 x',
    '5\0',
    '\x005',
  ],
  ...[
    '2147483647',
    '2147483648',
    '-2147483648',
    '-2147483649',
    '4294967296',
    '18446744073709551616',
    '1e3',
    '1.5',
  ],
  ...['00000000000000000005', '000000000000000000005', '99999999999999999999999', `5${' '.repeat(100)}`],
];

describe('a whole number answers as one in /proc/sys does', () => {
  /** proc_dointvec_minmax with a least value of 0, in a network namespace. */
  const SOMAXCONN = '/proc/sys/net/core/somaxconn';
  const cell = { value: 0 };
  let path: string;
  beforeAll(() => {
    procDointvecMinmax('int', 0o644, tree.root, cell, 0);
    path = tree.path('int');
  });

  test.each(numbers)('when %j is written', async (text) => {
    expect(await writes(path, '77', [text])).toEqual(await writes(SOMAXCONN, '77', [text]));
  });

  test('when it is written in pieces, at an offset, and appended to', async () => {
    for (const texts of [
      ['1', '2'],
      ['1\n', '2\n'],
      ['5 6', '6'],
      ['x', '2'],
    ]) {
      for (const flags of [0, O_APPEND, O_TRUNC]) {
        expect(await writes(path, '77', texts, flags)).toEqual(await writes(SOMAXCONN, '77', texts, flags));
      }
    }
  });

  test('when it is read in pieces and at an offset', async () => {
    expect(await writes(path, '4096', [])).toEqual(await writes(SOMAXCONN, '4096', []));
    expect(await reads(path)).toEqual(await reads(SOMAXCONN));
  });

  test('when it is out of a narrower range', async () => {
    // Within 0 and 200, and written back as it is.
    const SWAPPINESS = '/proc/sys/vm/swappiness';
    const present = await told(SWAPPINESS);
    procDointvecMinmax('narrow', 0o644, tree.root, { value: 0 }, 0, 200);
    for (const text of ['201', '-1', '4000000000', present]) {
      expect(await writes(tree.path('narrow'), present, [text])).toEqual(
        await writes(SWAPPINESS, present, [text]),
      );
    }
  });

  test('and sets what the program has', async () => {
    await writes(path, '12', []);
    expect(cell.value).toBe(12);
    cell.value = 13;
    expect(await told(path)).toBe('13\n');
  });

  test('to a shell, sysctl, and Python', async () => {
    const through = async (at: string) => [
      await run(
        'sh',
        '-c',
        `echo 20 >${at}; cat ${at}; echo x >${at}; cat ${at}; printf %s 30 >>${at}; cat ${at}`,
      ).then(({ stdout, status }) => ({ stdout, status })),
      await run(
        'python3',
        '-c',
        `f=open("${at}","r+"); f.write("40\\n"); f.flush(); f.seek(0); print(f.read())`,
      ),
    ];
    const SWAPPINESS = '/proc/sys/vm/swappiness';
    const present = await told(SWAPPINESS);
    procDointvecMinmax('swappiness', 0o644, tree.root, { value: 0 }, 0, 200);
    try {
      expect(await through(tree.path('swappiness'))).toEqual(await through(SWAPPINESS));
    } finally {
      await writes(SWAPPINESS, present, []);
    }
  });
});

describe('a boolean', () => {
  test('is any number, of which 0 is false', async () => {
    const cell = { value: false };
    procDobool('bool', 0o644, tree.root, cell);
    const path = tree.path('bool');
    for (const [text, value] of [
      ['1', true],
      ['0\n', false],
      ['2', true],
      ['0x0', false],
      ['-1', true],
    ] as const) {
      expect(await writes(path, text, [])).toEqual([value ? '1\n' : '0\n']);
      expect(cell.value).toBe(value);
    }
    expect(await writes(path, '0', ['y'])).toEqual(['EINVAL', '0\n']);
  });
});

describe('a text answers as one in /proc/sys does', () => {
  /** proc_dostring with room for 64 bytes, in a UTS namespace. */
  const DOMAINNAME = '/proc/sys/kernel/domainname';
  const cell = { value: '' };
  let path: string;
  beforeAll(() => {
    procDostring('string', 0o644, tree.root, cell, 64);
    path = tree.path('string');
  });

  test.each([
    [['abc']],
    [['abc\n']],
    [['']],
    [['\n']],
    [['a\nb']],
    [['a\0b']],
    [[' a b ']],
    [['x'.repeat(63)]],
    [['x'.repeat(64)]],
    [['x'.repeat(65)]],
    [['x'.repeat(200)]],
    [['ab', 'cd']],
    [['ab\n', 'cd\n']],
    [['a'.repeat(60), 'b'.repeat(60)]],
    [['\xc3', '\xa9\n']],
    [['\xff\xfe']],
  ])('when %j is written', async (texts) => {
    for (const flags of [0, O_APPEND, O_TRUNC]) {
      expect(await writes(path, 'first\n', texts, flags)).toEqual(
        await writes(DOMAINNAME, 'first\n', texts, flags),
      );
    }
  });

  test('when it is written at an offset', async () => {
    const { sys } = client;
    const at = async (name: string, text: string, offset: number) => {
      await writes(name, 'abcdef\n', []);
      const fd = must(await sys.open(name, O_RDWR));
      const answers = [await sys.pwrite(fd, text, offset), await told(name)];
      await sys.close(fd);
      return answers;
    };
    for (const offset of [0, 1, 5, 6, 7, 63, 64, 1000]) {
      for (const text of ['X', 'XY\n', '\n', 'Z'.repeat(100)]) {
        expect([offset, text, await at(path, text, offset)]).toEqual([
          offset,
          text,
          await at(DOMAINNAME, text, offset),
        ]);
      }
    }
  });

  test('when it is read in pieces and at an offset', async () => {
    expect(await writes(path, 'abcdef', [])).toEqual(await writes(DOMAINNAME, 'abcdef', []));
    expect(await reads(path)).toEqual(await reads(DOMAINNAME));
  });

  test('and sets what the program has, which may refuse', async () => {
    const fd = must(await client.sys.open(path, O_RDWR));
    must(await client.sys.write(fd, Buffer.from('grüß dich\n')));
    await client.sys.close(fd);
    expect(cell.value).toBe('grüß dich');
    cell.value = 'program';
    expect(await told(path)).toBe('program\n');
    const picky = {
      text: 'yes',
      get value() {
        return this.text;
      },
      set value(text) {
        if (text === 'no') throw new Errno('ERANGE');
        this.text = text;
      },
    };
    procDostring('picky', 0o644, tree.root, picky);
    expect(await writes(tree.path('picky'), 'maybe', ['no'])).toEqual(['ERANGE', 'maybe\n']);
  });
});

describe('a blob', () => {
  test('shows and sets bytes, and keeps their number', async () => {
    const bytes = new Uint8Array(16).fill(1);
    procBlob('blob', 0o644, tree.root, bytes);
    const { sys } = client;
    const fd = must(await sys.open(tree.path('blob'), O_RDWR));
    expect(await sys.pread(fd, 100, 0)).toEqual(Buffer.from(bytes));
    expect(await sys.pwrite(fd, 'abc', 1)).toBe(3);
    expect(await sys.pwrite(fd, 'xyz', 14)).toBe(2);
    expect(await sys.pwrite(fd, 'xyz', 16)).toBe('ENOSPC');
    expect(Buffer.from(bytes).toString()).toBe('\x01abc\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01xy');
    bytes.fill(2);
    expect(await sys.pread(fd, 100, 8)).toEqual(Buffer.alloc(8, 2));
    expect(await sys.pread(fd, 100, 16)).toEqual(Buffer.alloc(0));
    await sys.close(fd);
  });
});
