import { expect, test } from 'vitest';
import { kinds } from '../random/kinds.ts';
import { shrink } from './replay.ts';
import { reportOf } from './report.ts';
import { soak } from './soak.ts';

test('of the calls that fail only those are kept that are needed', () => {
  const steps = Array.from({ length: 1000 }, (_, i) => i);
  const tried: number[] = [];
  const fails = (some: readonly number[]) => {
    tried.push(some.length);
    return some.includes(0) && some.includes(17) && some.includes(999);
  };
  expect(shrink(steps, fails)).toEqual([0, 17, 999]);
  expect(tried.length).toBeLessThan(100);
});

test('a cycle of npm run soak, in short', async () => {
  // Mounting takes the most of it: one kind of either transport, and of either channel.
  const some = kinds.filter(({ name }) => ['direct', 'uring', 'libfuse'].includes(name));
  const plan = { kinds: some, minutes: 0, staying: 0.5, verifying: 0.2, going: 0.3, sampling: 0.2 };
  const journal = await soak(plan, new AbortController().signal);
  const { text, passed } = reportOf(journal);
  expect(journal.failure).toBeUndefined();
  expect(passed).toBe(true);
  expect(journal.cycles).toBe(1);
  expect([...journal.remounts.values()]).toEqual(some.map(() => 1));
  expect(journal.comparisons).toBe(4 * some.length);
  expect(journal.verified.read).toBeGreaterThan(0);
  for (const { name } of some) expect(text).toMatch(new RegExp(`^\\| ${name} \\| descriptors \\| \\d`, 'm'));
});
