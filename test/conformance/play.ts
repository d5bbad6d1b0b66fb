import { afterAll, describe, expect, test } from 'vitest';
import { cases } from './cases/index.ts';
import { Stage } from './stage.ts';
import { endTargets, targets } from './target.ts';

/** Declares a test for each case on a target, which is named as in target.ts. A file has one, so that several are played on at once. */
export function playOn(name: string): void {
  const target = targets.find((one) => one.name === name);
  if (target === undefined) throw new Error(`There is no target "${name}".`);
  afterAll(endTargets);
  describe(name, () => {
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
