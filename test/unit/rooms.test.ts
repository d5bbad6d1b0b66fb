import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { expect, test } from 'vitest';

const SRC = join(import.meta.dirname, '../../src');

/**
 * The rooms of src, from the ground up. A file imports from its own room and from rows above its own in this list, which are
 * floors below it; rooms of one row know nothing of each other. The last row is src/index.ts, the public interface.
 */
const rows = [
  ['text'],
  ['sys', 'sync'],
  ['proc-fs'],
  ['files'],
  ['ram-file', 'abi'],
  ['shared-file'],
  ['mount'],
  ['transport'],
  ['transport/kernel/wire'],
  ['transport/kernel/channel'],
  ['transport/kernel'],
  [
    'transport/kernel/main-thread',
    'transport/kernel/worker-thread',
    'transport/kernel/notifier-thread',
    'transport/libfuse',
  ],
  ['daemon/control'],
  ['daemon', 'program', 'testing'],
  ['cli'],
  ['.'],
];

/** A file's room: the longest in the list that it lies in. */
function roomOf(file: string): string {
  const room = rows
    .flat()
    .filter((one) => file.startsWith(`${one}/`))
    .toSorted((a, b) => b.length - a.length)
    .at(0);
  if (room !== undefined) return room;
  if (dirname(file) === '.') return '.';
  throw new Error(`src/${file} is in no room of the list.`);
}

const floorOf = (room: string) => rows.findIndex((row) => row.includes(room));

function importsOf(file: string): string[] {
  const text = readFileSync(join(SRC, file), 'utf8');
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map(([, path = '']) =>
    relative(SRC, join(SRC, dirname(file), path)),
  );
}

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));

test('imports run downwards, from room to room', () => {
  const wrong = files.flatMap((file) =>
    importsOf(file)
      .filter((other) => roomOf(other) !== roomOf(file) && floorOf(roomOf(other)) >= floorOf(roomOf(file)))
      .map((other) => `src/${file} imports src/${other}`),
  );
  expect(wrong).toEqual([]);
});

test('each room of the list is there', () => {
  expect(new Set(files.map(roomOf))).toEqual(new Set(rows.flat()));
});
