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

test('too few descriptors are one sentence, wherever they end', async () => {
  const said = new Set<string>();
  // Below, Node can't even open our first file.
  for (let most = 24; most <= 64; most += 4) {
    const dir = makeScene();
    const { status, stderr } = await bash(dir, `ulimit -n ${most}; ramproc mount m && ramproc unmount m`);
    if (status !== 0) {
      said.add(stderr.replaceAll(`${dir}/`, ''));
      expect([2, 32]).toContain(status);
    }
    await expect.poll(() => traces(dir)).toEqual({ mounted: [], running: [] });
  }
  expect(said.size).toBeGreaterThan(0);
  const why = 'EMFILE, too many open files; raise "ulimit -n"';
  const worker = String.raw`Cannot mount on "m": a worker ended before it served anything \(${why}\)`;
  const daemon = 'The daemon ended with status 2 before it had mounted; run it with --foreground to see why';
  for (const words of said) {
    expect(words).toMatch(new RegExp(`^ramproc: (Cannot .*: ${why}|${worker}|${daemon})\\.\n$`));
  }
});

test('all of words.txt is tried', () => {
  const text = readFileSync(join(import.meta.dirname, 'words.txt'), 'utf8');
  const tried = ['root', 'nobody'].flatMap(under);
  expect(tried).toHaveLength(text.match(/^\$ /gm)?.length ?? 0);
  expect(tried.length).toBeGreaterThan(50);
});
