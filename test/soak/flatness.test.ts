import { expect, test } from 'vitest';
import { flatness } from './flatness.ts';
import type { Sample } from './samples.ts';

const MIB = 2 ** 20;
const HOUR = 360;

/** The figures of an hour's samples that are not flat; `at` is from 0 to 1. */
function grown(sample: (at: number, i: number) => Partial<Sample>): string[] {
  const samples = Array.from({ length: HOUR }, (_, i) => ({
    descriptors: 30,
    threads: 13,
    memory: 90 * MIB,
    ...sample(i / HOUR, i),
  }));
  return flatness(samples)
    .filter(({ flat }) => !flat)
    .map(({ figure }) => figure);
}

test('what stays as it is is flat', () => {
  expect(grown(() => ({}))).toEqual([]);
});

test('what grows in the first quarter and then no more is flat', () => {
  expect(grown((at) => ({ memory: (60 + 120 * Math.min(at, 0.25)) * MIB }))).toEqual([]);
});

test('garbage that comes and goes is flat, whatever its moment', () => {
  expect(grown((_, i) => ({ memory: (80 + ((i * 7) % 40)) * MIB }))).toEqual([]);
});

test('garbage on top of a leak of 12 MiB an hour hides nothing', () => {
  expect(grown((at, i) => ({ memory: (80 + ((i * 7) % 40) + 12 * at) * MIB }))).toEqual(['memory']);
});

test('threads that come with work and go again are flat', () => {
  expect(grown((_, i) => ({ threads: 13 + (i % 12 < 3 ? 6 : 0) }))).toEqual([]);
});

test('one descriptor or thread more than half a run before is a leak', () => {
  expect(grown((at) => ({ descriptors: at < 0.6 ? 30 : 31 }))).toEqual(['descriptors']);
  expect(grown((at) => ({ threads: at < 0.6 ? 13 : 14 }))).toEqual(['threads']);
});
