import { constants } from 'node:fs';
import { pattern } from '../../support/bytes.ts';
import { MAP_PRIVATE, MAP_SHARED, PROT_READ, PROT_WRITE } from '../../support/calls/index.ts';
import { check } from '../case.ts';

const { O_RDONLY, O_RDWR, O_WRONLY } = constants;
const READ_WRITE = PROT_READ | PROT_WRITE;

/** A page. */
const K = 4096;

export const mmapCases = [
  check('a shared mapping shows what was written', ({ sys, open, mapped, expect }) => {
    const fd = open();
    expect(sys.pwrite(fd, pattern(0, 3 * K), 0), 3 * K);
    const memory = mapped(sys.mmap(fd, 0, 3 * K, PROT_READ, MAP_SHARED));
    expect(sys.load(memory, 3 * K), Buffer.from(pattern(0, 3 * K)));
  }),

  check('a write shows in a shared mapping at once', ({ sys, open, mapped, expect }) => {
    const fd = open();
    expect(sys.pwrite(fd, pattern(0, 2 * K), 0), 2 * K);
    const memory = mapped(sys.mmap(fd, 0, 2 * K, READ_WRITE, MAP_SHARED));
    expect(sys.load(memory, 3), pattern(0, 3).toString('latin1'));
    expect(sys.pwrite(fd, 'new', K - 1), 3);
    expect(sys.load(memory + K - 1, 3), 'new');
  }),

  check('a store in a shared mapping is read at once', ({ sys, open, mapped, expect }) => {
    const fd = open();
    expect(sys.ftruncate(fd, 2 * K), 0);
    const memory = mapped(sys.mmap(fd, 0, 2 * K, READ_WRITE, MAP_SHARED));
    expect(sys.store(memory + K - 2, 'four'), 4);
    expect(sys.pread(fd, 6, K - 3), '\0four\0');
    expect(sys.read(fd, K), Buffer.concat([Buffer.alloc(K - 2), Buffer.from('fo')]));
    expect(sys.munmap(memory, 2 * K), 0);
    expect(sys.pread(fd, 4, K - 2), 'four');
  }),

  check('stores and writes to the same page keep each other', ({ sys, open, mapped, expect }) => {
    const fd = open();
    expect(sys.pwrite(fd, Buffer.alloc(K, '.'), 0), K);
    const memory = mapped(sys.mmap(fd, 0, K, READ_WRITE, MAP_SHARED));
    for (let at = 0; at < 40; at += 4) {
      expect(sys.store(memory + at, 'm'), 1);
      expect(sys.pwrite(fd, 'w', at + 1), 1);
    }
    expect(sys.load(memory, 40), 'mw..'.repeat(10));
    expect(sys.pread(fd, 40, 0), 'mw..'.repeat(10));
    expect(sys.munmap(memory, K), 0);
    expect(sys.pread(fd, 40, 0), 'mw..'.repeat(10));
  }),

  check('what another process stores is read here', async ({ sys, open, file, client, mapped, expect }) => {
    const fd = open();
    expect(sys.pwrite(fd, Buffer.alloc(K), 0), K);
    const mine = mapped(sys.mmap(fd, 0, K, READ_WRITE, MAP_SHARED));
    const other = await client();
    const theirs = Number(await other.open(file, O_RDWR));
    const memory = mapped(await other.mmap(theirs, 0, K, READ_WRITE, MAP_SHARED));
    expect(await other.store(memory, 'theirs'), 6);
    expect(sys.load(mine, 6), 'theirs');
    expect(sys.pread(fd, 6, 0), 'theirs');
    expect(sys.store(mine, 'mine  '), 6);
    expect(await other.load(memory, 6), 'mine  ');
  }),

  check('a private mapping shows the file and keeps stores to itself', ({ sys, open, mapped, expect }) => {
    const fd = open(O_RDONLY);
    expect(sys.pwrite(open(), 'abcdef', 0), 6);
    const memory = mapped(sys.mmap(fd, 0, K, READ_WRITE, MAP_PRIVATE));
    expect(sys.load(memory, 6), 'abcdef');
    expect(sys.store(memory, 'XYZ'), 3);
    expect(sys.load(memory, 6), 'XYZdef');
    expect(sys.pread(fd, 10, 0), 'abcdef');
  }),

  check(
    'a private mapping shows later writes to pages that it has not changed',
    ({ sys, open, mapped, expect }) => {
      const fd = open();
      expect(sys.pwrite(fd, pattern(0, 2 * K), 0), 2 * K);
      const memory = mapped(sys.mmap(fd, 0, 2 * K, READ_WRITE, MAP_PRIVATE));
      expect(sys.store(memory, 'own'), 3);
      expect(sys.pwrite(fd, 'new', 0), 3);
      expect(sys.pwrite(fd, 'new', K), 3);
      expect(sys.load(memory, 3), 'own');
      expect(sys.load(memory + K, 3), 'new');
    },
  ),

  check('a mapping may start at any page and end within one', ({ sys, open, mapped, expect }) => {
    const fd = open();
    expect(sys.pwrite(fd, pattern(0, 5 * K + 100), 0), 5 * K + 100);
    const memory = mapped(sys.mmap(fd, 2 * K, 3 * K + 100, PROT_READ, MAP_SHARED));
    expect(sys.load(memory, 3 * K + 100), Buffer.from(pattern(2 * K, 3 * K + 100)));
    expect(sys.load(memory + 3 * K + 100, 50), Buffer.alloc(50));
    expect(sys.munmap(memory, 3 * K + 100), 0);
    expect(sys.mmap(fd, 100, K, PROT_READ, MAP_SHARED), 'EINVAL');
  }),

  check('a mapping may end at 2^53 - 1', ({ sys, open, mapped, expect }) => {
    const fd = open();
    expect(sys.pwrite(fd, 'end', 2 ** 53 - 4), 3);
    const memory = mapped(sys.mmap(fd, 2 ** 53 - K, K, PROT_READ, MAP_SHARED));
    expect(sys.load(memory + K - 6, 6), '\0\0end\0');
  }),

  check('a mapping outlives its descriptor', ({ sys, open, file, mapped, expect }) => {
    const fd = Number(sys.open(file, O_RDWR));
    expect(sys.pwrite(fd, 'abcdef', 0), 6);
    const memory = mapped(sys.mmap(fd, 0, K, READ_WRITE, MAP_SHARED));
    expect(sys.close(fd), 0);
    expect(sys.store(memory + 1, 'XY'), 2);
    expect(sys.munmap(memory, K), 0);
    expect(sys.pread(open(), 10, 0), 'aXYdef');
  }),

  check('msync and fsync hand on what was stored', ({ sys, open, mapped, expect }) => {
    const fd = open();
    expect(sys.ftruncate(fd, K), 0);
    const memory = mapped(sys.mmap(fd, 0, K, READ_WRITE, MAP_SHARED));
    expect(sys.store(memory, 'one'), 3);
    expect(sys.msync(memory, K), 0);
    expect(sys.pread(fd, 3, 0), 'one');
    expect(sys.store(memory, 'two'), 3);
    expect(sys.fsync(fd), 0);
    expect(sys.pread(fd, 3, 0), 'two');
  }),

  check('a file made longer shows in a mapping made before', ({ sys, open, mapped, expect }) => {
    const fd = open();
    expect(sys.pwrite(fd, 'abc', 0), 3);
    const memory = mapped(sys.mmap(fd, 0, 4 * K, READ_WRITE, MAP_SHARED));
    expect(sys.load(memory, 3), 'abc');
    expect(sys.pwrite(fd, 'later', 3 * K), 5);
    expect(sys.load(memory + 3 * K, 5), 'later');
    expect(sys.load(memory, 6), 'abc\0\0\0');
    expect(sys.store(memory + K, 'hole'), 4);
    expect(sys.pread(fd, 6, K - 1), '\0hole\0');
  }),

  check('a file cut short shows zeros behind its end in the last page', ({ sys, open, mapped, expect }) => {
    const fd = open();
    expect(sys.pwrite(fd, pattern(0, K), 0), K);
    const memory = mapped(sys.mmap(fd, 0, K, READ_WRITE, MAP_SHARED));
    expect(sys.load(memory, 10), Buffer.from(pattern(0, 10)));
    expect(sys.ftruncate(fd, 5), 0);
    expect(sys.load(memory, 10), Buffer.concat([pattern(0, 5), Buffer.alloc(5)]));
    expect(sys.ftruncate(fd, 10), 0);
    expect(sys.pread(fd, 20, 0), Buffer.concat([pattern(0, 5), Buffer.alloc(5)]));
  }),

  check('a punched hole shows in a mapping', ({ sys, open, mapped, expect }) => {
    const fd = open();
    expect(sys.pwrite(fd, pattern(0, 3 * K), 0), 3 * K);
    const memory = mapped(sys.mmap(fd, 0, 3 * K, READ_WRITE, MAP_SHARED));
    expect(sys.load(memory, 3 * K), Buffer.from(pattern(0, 3 * K)));
    expect(sys.store(memory + K, 'dirty'), 5);
    expect(sys.fallocate(fd, 3, K, K), 0);
    expect(sys.load(memory + K, K), Buffer.alloc(K));
    expect(sys.pread(fd, K, K), Buffer.alloc(K));
  }),

  check('touching a page past the end is SIGBUS', async ({ sys, open, file, client, mapped, expect }) => {
    const fd = open();
    expect(sys.pwrite(fd, pattern(0, 2 * K), 0), 2 * K);
    const other = await client();
    const theirs = Number(await other.open(file, O_RDWR));
    const memory = mapped(await other.mmap(theirs, 0, 2 * K, READ_WRITE, MAP_SHARED));
    expect(await other.load(memory + K, 1), pattern(K, 1).toString('latin1'));
    expect(sys.ftruncate(fd, K), 0);
    const end = await other.load(memory + K, 1).catch((error: Error) => error.message);
    expect(end, 'The client ended: SIGBUS.');
  }),

  check('the access mode of the descriptor binds a shared mapping', ({ sys, open, expect }) => {
    expect(sys.ftruncate(open(), K), 0);
    expect(sys.mmap(open(O_RDONLY), 0, K, READ_WRITE, MAP_SHARED), 'EACCES');
    expect(sys.mmap(open(O_WRONLY), 0, K, PROT_READ, MAP_SHARED), 'EACCES');
    expect(sys.mmap(open(O_WRONLY), 0, K, PROT_READ, MAP_PRIVATE), 'EACCES');
  }),

  check('a length of 0 is EINVAL', ({ sys, open, expect }) => {
    expect(sys.mmap(open(), 0, 0, PROT_READ, MAP_SHARED), 'EINVAL');
  }),

  check('a write from a mapping of the file itself arrives', ({ sys, open, mapped, expect }) => {
    const fd = open();
    expect(sys.pwrite(fd, pattern(0, 2 * K), 0), 2 * K);
    const memory = mapped(sys.mmap(fd, 0, 2 * K, READ_WRITE, MAP_SHARED));
    expect(sys.copyFileRange(fd, 0, fd, 2 * K, 100), 100);
    expect(sys.store(memory, 'front'), 5);
    expect(sys.copyFileRange(fd, 0, fd, 3 * K, 100), 100);
    expect(sys.pread(fd, 5, 3 * K), 'front');
  }),
];
