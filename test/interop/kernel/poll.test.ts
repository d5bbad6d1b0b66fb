import { constants } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { must } from '../../support/answer.ts';
import { POLLIN, POLLOUT } from '../../support/calls/index.ts';
import { Client } from '../../support/client.ts';
import { HANGS_AFTER } from '../../support/hanging.ts';
import { Tree } from './tree.ts';

let client: Client;
beforeAll(async () => {
  client = await Client.start();
});
afterAll(() => client[Symbol.asyncDispose]());

test('poll sleeps until the handler wakes it, and is then answered by the handler again', async () => {
  let events = 0;
  const wakes: (() => void)[] = [];
  await using tree = await Tree.mount({
    file: {
      poll(_file, wake) {
        wakes.push(wake);
        return events;
      },
    },
  });
  const fd = must(await client.sys.open(tree.path('file'), constants.O_RDONLY));
  let answered = false;
  const waiting = client.sys.poll(fd, POLLIN, HANGS_AFTER).finally(() => {
    answered = true;
  });
  await expect.poll(() => wakes.length).toBeGreaterThan(0);
  await sleep(100);
  expect(answered).toBe(false);
  const asked = wakes.length;
  events = POLLIN;
  for (const wake of wakes) wake();
  expect(await waiting).toBe(POLLIN);
  expect(wakes.length).toBeGreaterThan(asked);
});

test('poll wakes every process that waits, and only for what it waits for', async () => {
  let events = 0;
  const wakes: (() => void)[] = [];
  await using tree = await Tree.mount({
    file: {
      poll(_file, wake) {
        wakes.push(wake);
        return events;
      },
    },
  });
  await using other = await Client.start();
  const path = tree.path('file');
  const waiting = await Promise.all(
    [client, other].map(async ({ sys }) => {
      const fd = must(await sys.open(path, constants.O_RDWR));
      return { answer: sys.poll(fd, POLLIN, HANGS_AFTER) };
    }),
  );
  await expect.poll(() => wakes.length).toBeGreaterThanOrEqual(2);
  events = POLLOUT;
  for (const wake of wakes.splice(0)) wake();
  await expect.poll(() => wakes.length).toBeGreaterThanOrEqual(2);
  events |= POLLIN;
  for (const wake of wakes.splice(0)) wake();
  expect(await Promise.all(waiting.map(({ answer }) => answer))).toEqual([POLLIN, POLLIN]);
});

test('poll that nobody wakes ends when its time is up', async () => {
  await using tree = await Tree.mount({ file: { poll: () => 0 } });
  const fd = must(await client.sys.open(tree.path('file'), constants.O_RDONLY));
  expect(await client.sys.poll(fd, POLLIN, 100)).toBe(0);
});

test('poll of a file without it is always ready', async () => {
  await using tree = await Tree.mount({ file: {} });
  const fd = must(await client.sys.open(tree.path('file'), constants.O_RDWR));
  expect(await client.sys.poll(fd, POLLIN | POLLOUT, 0)).toBe(POLLIN | POLLOUT);
});
