import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { mount, run } from '../support/mount.ts';
import { makeDir } from '../support/run.ts';

let program: string;
beforeAll(() => {
  program = join(makeDir('mapping'), 'mapping');
  execFileSync('gcc', ['-O1', '-pthread', '-o', program, join(import.meta.dirname, 'mapping.c')]);
});

/** How often. Without what is tested here, direct mode lost hundreds of as many, and cached mode as many copies. */
const COUNT = '1000';

describe.each(['direct', 'cached', 'passthrough'])(
  'beside stores to the same page of a shared mapping, --io %s',
  (io) => {
    test.each([
      ['write', 'threads', 'no completed write is lost'],
      ['write', 'processes', 'no completed write is lost'],
      ['stale', 'threads', 'each write is seen in the mapping once it is done'],
      ['copy', 'threads', 'no store is lost to a copy into another part of the page'],
      ['copy', 'processes', 'no store is lost to a copy into another part of the page'],
    ])('%s, %s: %s', async (what, who) => {
      await using mounted = await mount(['--io', io]);
      const { status, stdout } = await run(program, what, who, COUNT, mounted.file);
      expect({ status, stdout }).toEqual({ status: 0, stdout: '0\n' });
    });
  },
);
