import { readFileSync } from 'node:fs';
import { test } from 'vitest';
import { RECORDING } from './recording.ts';
import { expectSame } from './replay.ts';

test('a mount recorded on Linux 6.18 has the same replies today', async () => {
  await expectSame(readFileSync(RECORDING));
});
