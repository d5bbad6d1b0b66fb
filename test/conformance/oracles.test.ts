import { expect, test } from 'vitest';
import { cases } from './cases/index.ts';
import { playOn } from './play.ts';

test('no two cases have the same name', () => {
  const names = cases.map(({ name }) => name);
  expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
});

playOn('tmpfs');
playOn('/proc');
