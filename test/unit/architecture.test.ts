import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const PROJECT = join(import.meta.dirname, '../..');
const text = readFileSync(join(PROJECT, 'ARCHITECTURE.md'), 'utf8');

test('every room and file that ARCHITECTURE.md names is there', () => {
  const named = [...new Set(text.match(/\bsrc\/[\w./-]*\w/g))];
  expect(named.length).toBeGreaterThan(20);
  expect(named.filter((path) => !existsSync(join(PROJECT, path)))).toEqual([]);
});

test('every file on the four ways that it follows is there', () => {
  const ways = text.slice(text.indexOf('Four ways'), text.indexOf('## The rooms'));
  const steps = [...ways.matchAll(/`([a-z-]+(?:\/[a-z-]+)+)`/g)].map(([, step = '']) => step);
  expect(steps.length).toBeGreaterThan(20);
  const roots = ['src', 'src/transport/kernel'];
  const there = (step: string) => roots.some((root) => existsSync(join(PROJECT, root, `${step}.ts`)));
  expect(steps.filter((step) => !there(step))).toEqual([]);
});
