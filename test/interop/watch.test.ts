import { closeSync, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { mountAt } from '../../src/sys/mountinfo.ts';
import { mountGone } from '../../src/sys/watch.ts';
import { Tmpfs } from '../support/tmpfs.ts';

test.each([
  ['before the event loop has come round', false],
  ['later', true],
])('who watches a mount is told that it is gone, when it goes %s', async (_, later) => {
  // For a connection that goes on.
  const connection = openSync('/dev/zero', 'r');
  let gone: Promise<void>;
  let device: string | undefined;
  {
    using tmpfs = new Tmpfs(4096);
    ({ device } = mountAt(tmpfs.dir) ?? {});
    gone = mountGone(device ?? '', connection);
    if (later) await sleep(100);
  }
  await expect(gone).resolves.toBeUndefined();
  expect(device).toMatch(/^0:\d+$/);
  closeSync(connection);
});
