import { join } from 'node:path';
import { expect, test } from 'vitest';
import { run } from '../../support/mount.ts';
import { compiled, makeDir } from '../../support/run.ts';

const PROGRAM = join(import.meta.dirname, 'tracing-program.ts');

test('a trace that has ended costs workers nothing: they do not even look whether there is room for it', async () => {
  const ended = await run(process.execPath, compiled(PROGRAM), makeDir('traced'));
  expect({ ...ended, stdout: JSON.parse(ended.stdout) }).toEqual({
    status: 0,
    stderr: '',
    stdout: { between: [1, 999, 0], after: [2, 998, 0] },
  });
});
