import { chmodSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { traces } from '../faults/traces.ts';
import { openDeviceToAll } from '../support/device.ts';
import { bash, bashAsNobody, shellDir } from '../support/shell.ts';

interface Refusal {
  readonly script: string;
  readonly words: string;
  readonly status: number;
}

/** The refusals under a heading of words.txt. */
function under(heading: string): Refusal[] {
  const text = readFileSync(join(import.meta.dirname, 'words.txt'), 'utf8');
  const section = text.split(/^# /m).find((one) => one.startsWith(`${heading}\n`)) ?? '';
  return [...section.matchAll(/^\$ (.*)\n((?:.*\n)*?)\[(\d+)\]$/gm)].map(
    ([, script = '', words = '', status]) => ({ script, words, status: Number(status) }),
  );
}

/** Makes the directory in which a command is run. */
function makeScene(): string {
  const dir = shellDir();
  for (const name of ['m', 'roots']) mkdirSync(join(dir, name));
  chmodSync(join(dir, 'm'), 0o777);
  return dir;
}

async function expectRefusal(run: typeof bash, { script, words, status }: Refusal): Promise<void> {
  const dir = makeScene();
  const ended = await run(dir, script);
  const exact = words.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&').replaceAll('…', '.*');
  // Some have the path as it was given, and some as it is.
  expect(ended.stderr.replaceAll(`${dir}/`, '')).toMatch(new RegExp(`^${exact}$`));
  expect([ended.status, ended.stdout]).toEqual([status, '']);
  await expect.poll(() => traces(dir)).toEqual({ mounted: [], running: [] });
}

describe('what root cannot have', () => {
  test.each(under('root'))('$script', (refusal) => expectRefusal(bash, refusal));
});

describe('what an ordinary user cannot have', () => {
  test.each(under('nobody'))('$script', async (refusal) => {
    using _device = openDeviceToAll();
    await expectRefusal(bashAsNobody, refusal);
  });
});

test('too few descriptors are one sentence, wherever they end, and leave nothing', async () => {
  const words =
    /^ramproc: Cannot .*(: EMFILE, too many open files; raise "ulimit -n"|"ulimit -n" lets .*; raise it)\.\n$/;
  let refused = 0;
  // Below, Node can't even open our first file.
  for (let most = 24; most <= 96; most += 6) {
    const dir = makeScene();
    const { status, stderr } = await bash(dir, `(ulimit -n ${most}; ramproc mount m) && ramproc unmount m`);
    if (status !== 0) {
      refused++;
      expect(stderr).toMatch(words);
      expect([2, 32]).toContain(status);
    }
    await expect.poll(() => traces(dir)).toEqual({ mounted: [], running: [] });
  }
  expect(refused).toBeGreaterThan(0);
  expect(refused).toBeLessThan(12);
});

test('all of words.txt is tried', () => {
  const text = readFileSync(join(import.meta.dirname, 'words.txt'), 'utf8');
  const tried = ['root', 'nobody'].flatMap(under);
  expect(tried).toHaveLength(text.match(/^\$ /gm)?.length ?? 0);
  expect(tried.length).toBeGreaterThan(50);
});
