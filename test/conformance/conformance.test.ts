import { afterAll, describe, expect, test } from 'vitest';
import { areas } from './cases/index.ts';
import { Stage } from './stage.ts';
import { targets } from './target.ts';

for (const target of targets) {
  describe(target.name, () => {
    const stage = new Stage(target);
    afterAll(() => stage[Symbol.asyncDispose]());

    for (const [area, cases] of Object.entries(areas)) {
      for (const one of cases.filter(({ oracle }) => target.takes(oracle))) {
        test(`${area}: ${one.name}`, async () => {
          const { outcome, text } = await stage.play(one);
          expect(outcome, text).not.toBe('fail');
        });
      }
    }
  });
}
