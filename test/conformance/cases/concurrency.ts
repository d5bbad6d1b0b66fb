import { writeFileSync } from 'node:fs';
import { must } from '../../support/answer.ts';
import { isPatternOrHole } from '../../support/bytes.ts';
import type { Tally } from '../../support/loads.ts';
import { makeDir } from '../../support/run.ts';
import { check } from '../case.ts';

const MIB = 1 << 20;

/** How long a load goes on, in milliseconds. */
const LOAD = 400;

/** Of a load that nothing may go wrong in, whether it did anything, and nothing else. */
function onlyData(tally: Tally): boolean {
  return Object.keys(tally).join() === 'data';
}

/** For a case in which tmpfs may be seen half way through a write: it locks out writers, and no readers. */
const TORN = {
  got: /torn/,
  why: 'tmpfs copies page by page, and locks no readers out meanwhile',
  sometimes: true,
};

export const concurrencyCases = [
  check(
    'of 16 processes that append no record is lost or cut in two',
    async ({ sys, open, run, file, expect }) => {
      const dir = makeDir('records');
      const [processes, records, length] = [16, 200, 100];
      const name = (i: number, j: number) => `${i}:${j}:`.padEnd(length - 1, '-').concat('\n');
      const all = Array.from({ length: processes }, (_, i) =>
        Array.from({ length: records }, (_, j) => name(i, j)),
      );
      for (const [i, lines] of all.entries()) writeFileSync(`${dir}/${i}`, lines.join(''));
      const append = (i: number) =>
        run(
          'dd',
          `if=${dir}/${i}`,
          `of=${file}`,
          `bs=${length}`,
          'oflag=append',
          'conv=notrunc',
          'status=none',
        );
      const ended = await Promise.all(all.map((_, i) => append(i)));
      expect(
        ended.map(({ status, stderr }) => `${status}${stderr}`),
        Array(processes).fill('0'),
      );
      const bytes = must(sys.read(open(), processes * records * length + 1));
      const lines = bytes.toString('latin1').match(/[^\n]*\n/g) ?? [];
      expect(lines.length, processes * records);
      expect(lines.toSorted().join(''), all.flat().toSorted().join(''));
      // One process's records keep their order.
      for (const own of all) {
        const names = new Set(own);
        expect(lines.filter((line) => names.has(line)).join(''), own.join(''));
      }
    },
  ),

  check('appends longer than a request are not mixed either', async ({ sys, open, run, file, expect }) => {
    const dir = makeDir('records');
    const length = 5 * MIB;
    const letters = ['a', 'b', 'c', 'd'];
    for (const letter of letters) writeFileSync(`${dir}/${letter}`, Buffer.alloc(2 * length, letter));
    const append = (letter: string) =>
      run(
        'dd',
        `if=${dir}/${letter}`,
        `of=${file}`,
        `bs=${length}`,
        'oflag=append',
        'conv=notrunc',
        'status=none',
      );
    const ended = await Promise.all(letters.map(append));
    expect(
      ended.map(({ status, stderr }) => `${status}${stderr}`),
      ['0', '0', '0', '0'],
    );
    const bytes = must(sys.read(open(), letters.length * 2 * length + 1));
    expect(bytes.length, letters.length * 2 * length);
    const seen = [];
    for (let at = 0; at < bytes.length; at += length) {
      const letter = String.fromCharCode(bytes[at] ?? 0);
      expect(bytes.subarray(at, at + length).equals(Buffer.alloc(length, letter)), true);
      seen.push(letter);
    }
    expect(seen.toSorted().join(''), 'aabbccdd');
  }),

  ...[100, 4096, 100_000, MIB].map((length) =>
    check(
      `reads of ${length} bytes beside writes of as many see all of a write or none`,
      async ({ sys, open, file, client, expect }) => {
        expect(sys.pwrite(open(), Buffer.alloc(length), 0), length);
        const [writer, reader, another] = [await client(), await client(), await client()];
        const [written, ...read] = await Promise.all([
          writer.writeUniform(file, length, { ms: LOAD }),
          reader.readUniform(file, length, LOAD),
          another.readUniform(file, length, LOAD),
        ]);
        expect(onlyData(written), true);
        for (const tally of read) expect(Object.keys(tally), ['data']);
      },
      { tmpfs: TORN },
    ),
  ),

  check('of writers to the same place one is last, whole', async ({ sys, open, file, client, expect }) => {
    const writers = [await client(), await client(), await client()];
    const tallies = await Promise.all(writers.map((writer) => writer.writeUniform(file, MIB, { ms: LOAD })));
    expect(tallies.map(onlyData), [true, true, true]);
    const bytes = must(sys.read(open(), MIB + 1));
    expect(bytes.length, MIB);
    expect(bytes.equals(Buffer.alloc(MIB, bytes[0])), true);
  }),

  check(
    'writers, readers, truncation and punching at once leave every byte right',
    async ({ sys, open, file, stat, client, expect }) => {
      const [one, two, reader, resizer] = [await client(), await client(), await client(), await client()];
      const tallies = await Promise.all([
        one.writePattern(file, LOAD),
        two.writePattern(file, LOAD),
        reader.readPattern(file, LOAD),
        resizer.resize(file, LOAD),
      ]);
      expect(tallies.map(onlyData), [true, true, true, true]);
      const bytes = must(sys.read(open(), MIB));
      expect(bytes.length, stat().size);
      expect(isPatternOrHole(bytes, 0), true);
    },
  ),

  check('writes to places of their own are all there', async ({ sys, open, run, file, expect }) => {
    const dir = makeDir('places');
    const [processes, length] = [8, 400_000];
    for (let i = 0; i < processes; i++) writeFileSync(`${dir}/${i}`, Buffer.alloc(length, `${i}`));
    const write = (i: number) =>
      run(
        'dd',
        `if=${dir}/${i}`,
        `of=${file}`,
        'bs=1000',
        `seek=${(i * length) / 1000}`,
        'conv=notrunc',
        'status=none',
      );
    const ended = await Promise.all(Array.from({ length: processes }, (_, i) => write(i)));
    expect(
      ended.every(({ status }) => status === 0),
      true,
    );
    const wanted = Array.from({ length: processes }, (_, i) => Buffer.alloc(length, `${i}`));
    expect(sys.read(open(), processes * length + 1), Buffer.concat(wanted));
  }),
];
