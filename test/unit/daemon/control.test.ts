import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { answers } from '../../../src/daemon/answers.ts';
import { LineReader, MAX_LINE, namePrefix, PROTOCOL } from '../../../src/daemon/control/messages.ts';
import { type Answers, ControlServer } from '../../../src/daemon/control/server.ts';
import type { House } from '../../../src/daemon/house.ts';
import { plan } from '../../../src/daemon/plan.ts';
import { Teardown } from '../../../src/daemon/teardown.ts';
import { namesListenedOn } from '../../../src/sys/network.ts';
import { RawClient, sendRaw } from '../../support/raw-client.ts';

/** A device that no mount has: the kernel's minor numbers end at 2^20. Each test has one of its own. */
let devices = 2 ** 20;

/** A server of these answers, and where it is found. */
function serve(given: Partial<Answers>) {
  const device = `0:${devices++}`;
  const none = () => Promise.reject(new Error('nothing to say'));
  const server = new ControlServer({ hello: none, teardown: none, unmounted: none, ...given } as Answers);
  server.listen(device);
  const [name = ''] = namesListenedOn('self', namePrefix(device));
  return { server, device, name };
}

const question = (name: string) => `${JSON.stringify({ protocol: PROTOCOL, question: name })}\n`;

/** Progress without an end, which counts how often it is asked for more. */
function endless() {
  const seen = { asked: 0, ended: false };
  async function* teardown(
    _: unknown,
    gone: AbortSignal,
  ): AsyncGenerator<{ bytes: number; total: number }, never> {
    try {
      for (;;) {
        seen.asked++;
        yield { bytes: seen.asked, total: Number.POSITIVE_INFINITY };
        if (seen.asked % 100 === 0) await sleep(1, undefined, { signal: gone });
      }
    } finally {
      seen.ended = true;
    }
  }
  return { seen, teardown };
}

test('progress waits for a client that does not read, and ends with it', async () => {
  const { seen, teardown } = endless();
  const { server, name } = serve({ teardown });
  await using _server = server;
  const client = new RawClient(name);
  client.send(question('teardown'));
  let before = -1;
  await expect
    .poll(
      () => {
        const still = seen.asked > 0 && seen.asked === before;
        before = seen.asked;
        return still;
      },
      { interval: 200 },
    )
    .toBe(true);
  expect(seen.ended).toBe(false);
  client[Symbol.dispose]();
  await expect.poll(() => seen.ended).toBe(true);
});

test('a client that goes away ends what waits for something else', async () => {
  let aborted = false;
  async function teardown(_: unknown, gone: AbortSignal): Promise<never> {
    await once(gone, 'abort');
    aborted = true;
    throw new Error('too late');
  }
  const { server, name } = serve({ teardown });
  await using _server = server;
  const client = new RawClient(name);
  client.send(question('teardown'));
  await sleep(50);
  expect(aborted).toBe(false);
  client[Symbol.dispose]();
  await expect.poll(() => aborted).toBe(true);
});

test('a question comes in pieces, and progress comes before the answer', async () => {
  const { server, name } = serve({
    async *teardown() {
      yield { bytes: 1, total: 2 };
      yield { bytes: 2, total: 2 };
      return { taken: true };
    },
  });
  await using _server = server;
  using client = new RawClient(name);
  for (const piece of question('teardown')) {
    client.send(piece);
    await sleep(1);
  }
  expect(await client.all()).toEqual([
    { protocol: PROTOCOL, progress: { bytes: 1, total: 2 } },
    { protocol: PROTOCOL, progress: { bytes: 2, total: 2 } },
    { protocol: PROTOCOL, answer: { taken: true } },
  ]);
});

test('what an answer throws is told as the reason, in place of it or behind progress', async () => {
  const { server, name } = serve({
    async *teardown() {
      yield { bytes: 1, total: 2 };
      throw new Error('the sky is falling');
    },
  });
  await using _server = server;
  expect(await sendRaw(name, question('hello'))).toEqual([{ protocol: PROTOCOL, error: 'nothing to say' }]);
  expect(await sendRaw(name, question('teardown'))).toEqual([
    { protocol: PROTOCOL, progress: { bytes: 1, total: 2 } },
    { protocol: PROTOCOL, error: 'the sky is falling' },
  ]);
});

test('the end of a server waits for nobody long, and its last answer is read', async () => {
  const { seen, teardown } = endless();
  let finish = () => {};
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const { server, name } = serve({
    teardown,
    async unmounted() {
      await finished;
      return { elsewhere: false };
    },
  });
  const asked = sendRaw(name, question('unmounted'));
  using endlessly = new RawClient(name);
  endlessly.send(question('teardown'));
  using _idle = new RawClient(name);
  await expect.poll(() => seen.asked).toBeGreaterThan(0);
  finish();
  await server[Symbol.asyncDispose]();
  expect(await asked).toEqual([{ protocol: PROTOCOL, answer: { elsewhere: false } }]);
  await expect.poll(() => seen.ended).toBe(true);
  expect(() => new RawClient(name)).toThrow('ECONNREFUSED');
});

test('a teardown is waited for by who wants to, goes on without, and is done once', async () => {
  const seen = { begun: 0, finished: false };
  let isLong = true;
  function* steps() {
    seen.begun++;
    for (let bytes = 1; isLong; bytes++) yield { bytes, total: 1000 };
    seen.finished = true;
  }
  const device = `0:${devices}`;
  const mount = { dir: '/nowhere', closed: Promise.resolve(), connected: false, unmount() {}, abort() {} };
  const served = { device, mount, plan: plan({}), teardown: new Teardown(steps()), since: new Date() };
  const { server, name } = serve(answers({ mounts: [served] } as unknown as House));
  await using _server = server;
  const ask = (wait: boolean) =>
    sendRaw(name, `${JSON.stringify({ protocol: PROTOCOL, question: 'unmounted', mount: device, wait })}\n`);
  const answer = { protocol: PROTOCOL, answer: { elsewhere: false } };

  expect(await ask(false)).toEqual([answer]);
  using leaving = new RawClient(name);
  leaving.send(`${JSON.stringify({ protocol: PROTOCOL, question: 'teardown', mount: device })}\n`);
  const waiting = ask(true);
  await sleep(500);
  leaving[Symbol.dispose]();
  expect(seen.finished).toBe(false);
  isLong = false;
  const [first, ...rest] = await waiting;
  expect(first).toEqual({ protocol: PROTOCOL, progress: { bytes: expect.any(Number), total: 1000 } });
  expect(rest.at(-1)).toEqual(answer);
  expect(seen).toEqual({ begun: 1, finished: true });
});

test('lines are made of pieces, and have an end', () => {
  const reader = new LineReader();
  expect(['a', 'b\nc', '\n', '\n\nd'].map((piece) => reader.add(piece))).toEqual([
    [],
    ['ab'],
    ['c'],
    ['', ''],
  ]);
  expect(() => reader.add('x'.repeat(MAX_LINE + 1))).toThrow(`more than ${MAX_LINE}`);
});
