import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { isUniform } from '../../support/bytes.ts';
import { Engine } from '../../support/engine.ts';
import { until } from '../../support/hanging.ts';
import { Machine } from '../../support/shared-file.ts';

/* Writes of many pages: two runs of a script with plain commands between. */

const MIB = 1 << 20;
/** Within a page, and over the end of a MiB. */
const AT = MIB / 2 + 100;
const KEY = 'ramproc:{jobs}';

/** What a write is of: each byte is the same, so that two in one are seen. */
function bytesOf(number: number): Buffer {
  return Buffer.alloc(MIB, 1 + (number % 200));
}

/** The number of the write that a whole range is of, or what is wrong with it. */
function writeIn(bytes: Buffer | string): number | string {
  if (typeof bytes === 'string') return bytes;
  const [first = 0] = bytes;
  return isUniform(bytes) ? first : `from ${first} on there are others`;
}

/** Looks again and again at what is written by others, until it is told to end; throws when it ever saw a part of a write. */
function watching(machine: Machine) {
  let isOver = false;
  let seen = 0;
  const looking = (async () => {
    const wrong: (number | string)[] = [];
    while (!isOver) {
      const found = writeIn(await machine.read(AT, MIB));
      if (typeof found === 'string' && !['EIO', 'ETIMEDOUT'].includes(found)) wrong.push(found);
      seen++;
    }
    return wrong;
  })();
  return {
    async end(): Promise<number> {
      isOver = true;
      expect(await looking).toEqual([]);
      return seen;
    },
  };
}

function on(engine: Engine, timeout = 60_000) {
  return { on: engine.url, key: 'jobs', maxSize: 8 * MIB, timeout };
}

/** That the engine has no more of a file than what a file is made of, and counts its pages right. */
async function isTidy(engine: Engine, machine: Machine): Promise<void> {
  const keys = (await engine.cli('--scan', '--pattern', `${KEY}:*`)).split('\n').filter(Boolean);
  expect(keys.filter((key) => /:gate:/.test(key))).toEqual([]);
  let pages = 0;
  for (const key of keys.filter((one) => /:\d+$/.test(one))) pages += Number(await engine.cli('HLEN', key));
  expect(await machine.stat()).toMatchObject({ blocks: pages * 8 });
}

test('a connection that is cut before the end of a write: nobody sees a part, and it is done once, over the next', async () => {
  await using engine = await Engine.start();
  await using one = await Machine.start(on(engine));
  await using other = await Machine.start(on(engine));
  expect(await one.write(AT, bytesOf(1))).toBe(MIB);
  // Commands are taken then, and what changes something is not done.
  await engine.cli('CLIENT', 'PAUSE', '100000', 'WRITE');
  const writing = one.write(AT, bytesOf(2));
  await until(
    async () => /qbuf=[1-9]|multi=[2-9]/.test(await engine.cli('CLIENT', 'LIST')),
    'It is not on its way.',
  );
  await sleep(200);
  await engine.cli('CLIENT', 'KILL', 'TYPE', 'normal');
  await engine.cli('CLIENT', 'UNPAUSE');
  expect([1, 2].map((n) => n + 1)).toContain(writeIn(await other.read(AT, MIB)));
  expect(await writing).toBe(MIB);
  expect(writeIn(await other.read(AT, MIB))).toBe(3);
  await isTidy(engine, one);
});

test('connections that are cut again and again: each write is whole for who reads beside it, and done', async () => {
  await using engine = await Engine.start();
  await using one = await Machine.start(on(engine));
  await using other = await Machine.start(on(engine));
  expect(await one.write(AT, bytesOf(0))).toBe(MIB);
  const watch = watching(other);
  let isOver = false;
  let cuts = 0;
  const cutting = (async () => {
    for (; !isOver; cuts++) {
      await engine.cli('CLIENT', 'KILL', 'TYPE', 'normal');
      await sleep(Math.random() * 10);
    }
  })();
  for (let i = 0; i < 40; i++) {
    expect(await one.write(AT, bytesOf(i))).toBe(MIB);
    expect(writeIn(await one.read(AT, MIB))).toBe(bytesOf(i)[0]);
  }
  isOver = true;
  await cutting;
  expect(await watch.end()).toBeGreaterThan(0);
  expect(cuts).toBeGreaterThan(5);
  await isTidy(engine, one);
});

test('an engine that is full again and again: a write is done wholly, or ENOSPC and nothing of it is there', async () => {
  await using engine = await Engine.start('--maxmemory 200mb');
  await using one = await Machine.start(on(engine));
  await using other = await Machine.start(on(engine));
  expect(await one.write(AT, bytesOf(0))).toBe(MIB);
  const watch = watching(other);
  let isOver = false;
  const filling = (async () => {
    for (let isFull = true; !isOver; isFull = !isFull) {
      await engine.cli('CONFIG', 'SET', 'maxmemory', isFull ? '1mb' : '200mb');
    }
    await engine.cli('CONFIG', 'SET', 'maxmemory', '200mb');
  })();
  const answers = new Map<unknown, number>();
  let last = bytesOf(0)[0];
  for (let i = 1; i < 3000 && !(Number(answers.get(MIB)) > 20 && Number(answers.get('ENOSPC')) > 20); i++) {
    const answer = await one.write(AT, bytesOf(i));
    answers.set(answer, (answers.get(answer) ?? 0) + 1);
    if (answer === MIB) last = bytesOf(i)[0];
    expect(writeIn(await one.read(AT, MIB))).toBe(last);
  }
  isOver = true;
  await filling;
  expect([...answers.keys()].toSorted()).toEqual([MIB, 'ENOSPC']);
  await watch.end();
  await isTidy(engine, one);
  expect(one.said).toEqual([expect.stringMatching(/is full: it has no more memory; raise its maxmemory/)]);
  expect(await one.write(AT, bytesOf(7))).toBe(MIB);
});

test('a write that was done, but not answered before the engine is full, is answered as done', async () => {
  await using engine = await Engine.start('--maxmemory 200mb');
  await using one = await Machine.start(on(engine));
  for (const length of [10, MIB]) {
    await engine.cli('CONFIG', 'SET', 'maxmemory', '200mb');
    expect(await one.truncate(0)).toBe(0);
    const raw = connect(engine.socket);
    try {
      raw.write('PING\r\n');
      await once(raw, 'data');
      engine.stop(true);
      // Both are there when it goes on: the write is done, and before it is answered its connection is gone.
      const writing = one.write(0, Buffer.alloc(length, 'x'));
      await sleep(200);
      raw.write('CONFIG SET maxmemory 100kb\r\nCLIENT KILL TYPE normal\r\n');
      await sleep(100);
      engine.stop(false);
      const answer = await writing;
      const { size } = (await one.stat()) as { size: number };
      expect([
        [length, length],
        ['ENOSPC', 0],
      ]).toContainEqual([answer, size]);
    } finally {
      raw.destroy();
    }
  }
});

test('long appends of many machines, while connections are cut and the engine is full at times, follow each other whole', async () => {
  await using engine = await Engine.start('--maxmemory 500mb');
  const options = { ...on(engine), maxSize: 200 * MIB };
  const machines = [await Machine.start(options), await Machine.start(options), await Machine.start(options)];
  await using _ends = {
    async [Symbol.asyncDispose]() {
      for (const machine of machines) await machine[Symbol.asyncDispose]();
    },
  };
  const LENGTH = 100_000;
  let isOver = false;
  const troubling = (async () => {
    for (let i = 0; !isOver; i++) {
      if (i % 2 === 0) await engine.cli('CLIENT', 'KILL', 'TYPE', 'normal');
      else await engine.cli('CONFIG', 'SET', 'maxmemory', i % 4 === 1 ? '1mb' : '500mb');
      await sleep(Math.random() * 10);
    }
    await engine.cli('CONFIG', 'SET', 'maxmemory', '500mb');
  })();
  const done = await Promise.all(
    machines.map(async (machine, who) => {
      let count = 0;
      const answers = new Set<unknown>();
      while (count < 60) {
        const record = Buffer.alloc(LENGTH, 1 + who * 60 + count);
        // As the kernel does: it sends the end as it knows it.
        const stat = await machine.stat();
        const end = typeof stat === 'string' ? 0 : stat.size;
        const answer = await machine.write(end, record, 0o2000);
        answers.add(answer);
        if (answer === LENGTH) count++;
      }
      return answers;
    }),
  );
  isOver = true;
  await troubling;
  for (const answers of done) {
    expect([...answers].filter((answer) => answer !== LENGTH && answer !== 'ENOSPC')).toEqual([]);
  }
  const [first] = machines;
  const counts = new Map<number | string, number>();
  for (let at = 0; at < 180 * LENGTH; at += LENGTH) {
    const found = writeIn((await first?.read(at, LENGTH)) ?? '');
    counts.set(found, (counts.get(found) ?? 0) + 1);
  }
  expect(counts.size).toBe(180);
  expect([...counts.keys()].filter((found) => typeof found === 'string')).toEqual([]);
  if (first !== undefined) {
    expect(await first.stat()).toMatchObject({ size: 180 * LENGTH });
    await isTidy(engine, first);
  }
});
