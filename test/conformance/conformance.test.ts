import { afterAll, describe, expect, test } from 'vitest';
import { cases } from './cases/index.ts';
import { Stage } from './stage.ts';
import { endTargets, targets } from './target.ts';

afterAll(endTargets);

test('no two cases have the same name', () => {
  const names = cases.map(({ name }) => name);
  expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
});

for (const target of targets) {
  describe(target.name, () => {
    const stage = new Stage(target);
    afterAll(() => stage[Symbol.asyncDispose]());

    for (const one of cases.filter((one) => target.takes(one))) {
      test(one.name, async () => {
        const { outcome, text } = await stage.play(one);
        expect(outcome, text).not.toBe('fail');
      });
    }
  });
}
