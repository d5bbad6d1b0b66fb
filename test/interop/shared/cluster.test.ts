import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { pattern } from '../../support/bytes.ts';
import { Cluster } from '../../support/cluster.ts';
import { until } from '../../support/hanging.ts';
import { mount, ramproc } from '../../support/mount.ts';
import { appending } from '../../support/records.ts';
import { Machine } from '../../support/shared-file.ts';

const MIB = 1 << 20;
const KEY = 'ramproc:{jobs}';

let cluster: Cluster;
beforeAll(async () => {
  cluster = await Cluster.start(KEY);
});
afterEach(async () => {
  // A replica refuses.
  for (const { engine } of cluster.primaries) await engine.cli('FLUSHALL');
});
afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]();
});

test('all of a file is in one slot of a cluster, whichever node is asked', async () => {
  const bytes = pattern(0, 5 * MIB + 1000);
  // Each is asked of another node first.
  const urls = cluster.primaries.map(({ port }) => `redis-cluster://127.0.0.1:${port}`);
  await using one = await mount(['--on', urls[0] ?? '', '--key', 'jobs', '-s', '64M']);
  await using other = await mount(['--on', urls[1] ?? '', '--key', 'jobs']);
  await using last = await mount(['--on', urls[2] ?? '', '--key', 'jobs', '--io', 'cached']);
  writeFileSync(one.file, bytes);
  for (const { file } of [other, last]) expect(readFileSync(file).equals(bytes)).toBe(true);
  const owner = await cluster.owner();
  for (const { engine, id } of cluster.primaries) {
    const keys = (await engine.cli('--scan')).split('\n').filter(Boolean);
    if (id === owner.id)
      expect(keys).toEqual(expect.arrayContaining([0, 1, 2, 3, 4, 5].map((n) => `${KEY}:${n}`)));
    else expect(keys).toEqual([]);
  }
  const { stdout } = await ramproc('shared', 'list', '--json', '--on', cluster.url);
  expect(JSON.parse(stdout)).toMatchObject([{ key: 'jobs', size: bytes.length, users: [{}, {}, {}] }]);
  const list = JSON.parse((await ramproc('list', '--json')).stdout) as {
    dir: string;
    engine?: { at: string };
  }[];
  expect(list.find(({ dir }) => dir === one.dir)?.engine?.at).toBe(`127.0.0.1:${owner.port}`);
});

test('a file whose slot is given to another node, while it is written and appended to, is whole and goes on', async () => {
  const options = { on: cluster.url, key: 'jobs', maxSize: 64 * MIB, timeout: 60_000 };
  await using one = await Machine.start(options);
  await using other = await Machine.start(options);
  const before = await cluster.owner();
  const to = cluster.primaries.find(({ id }) => id !== before.id);
  if (to === undefined) throw new Error('There must be another.');
  expect(await one.write(0, pattern(0, 8 * MIB))).toBe(8 * MIB);
  const records = appending([one, other], 8 * MIB);
  await until(() => records.completed > 20, 'Nothing is appended.');
  await cluster.move(to);
  const moved = records.completed;
  await until(() => records.completed > moved + 20, 'It does not go on.');
  await records.end();
  expect((await cluster.owner()).id).toBe(to.id);
  expect(Number(await before.engine.cli('CLUSTER', 'COUNTKEYSINSLOT', String(cluster.slot)))).toBe(0);
  expect(Buffer.from((await other.read(0, 8 * MIB)) as Buffer).equals(pattern(0, 8 * MIB))).toBe(true);
  await records.check(other);
});

test('while half of a file is on another node, a write over two MiBs is done wholly or not at all', async () => {
  const options = { on: cluster.url, key: 'jobs', maxSize: 64 * MIB, timeout: 60_000 };
  await using one = await Machine.start(options);
  await using other = await Machine.start(options);
  const before = await cluster.owner();
  const to = cluster.primaries.find(({ id }) => id !== before.id) ?? before;
  expect(await one.write(0, Buffer.alloc(4 * MIB + 4096, 'a'))).toBe(4 * MIB + 4096);
  let writing: Promise<unknown> = Promise.resolve();
  await cluster.move(to, /:[13]$/, async () => {
    // The first has a MiB that is there still, and another that isn't there yet, or wherever that is; the second many pages.
    writing = Promise.all([
      one.write(5 * MIB - 5000, Buffer.alloc(6000, 'c')),
      other.write(MIB / 2, Buffer.alloc(MIB, 'b')),
    ]);
    await sleep(500);
    const pages = await Promise.all([0, 4].map((n) => before.engine.cli('HLEN', `${KEY}:${n}`)));
    expect(pages).toEqual(['256', '1']);
  });
  expect(await writing).toEqual([6000, MIB]);
  const expected = Buffer.alloc(5 * MIB + 1000);
  expected
    .fill('a', 0, 4 * MIB + 4096)
    .fill('b', MIB / 2, MIB / 2 + MIB)
    .fill('c', 5 * MIB - 5000);
  expect(Buffer.from((await other.read(0, 6 * MIB)) as Buffer).equals(expected)).toBe(true);
  expect(await one.stat()).toMatchObject({ size: expected.length, blocks: (1024 + 1 + 3) * 8 });
});

test('a node that is killed is replaced by its replica, and the file goes on there, with all that was completed', async () => {
  const options = { on: cluster.url, key: 'jobs', maxSize: 64 * MIB };
  // Nobody has it beside the new primary then: that it is done isn't known, after as long as that.
  await using one = await Machine.start({ ...options, timeout: 10_000, replicas: 1 });
  await using other = await Machine.start({ ...options, timeout: 60_000 });
  const records = appending([one], 0);
  await until(() => records.completed > 20, 'Nothing is appended.');
  await (await cluster.owner()).engine.kill();
  await until(
    async () => /role:master/.test(await cluster.spare.engine.cli('INFO', 'replication')),
    'The replica stays one.',
  );
  await records.end();
  await records.check(other);
  const size = (await other.stat()) as { size: number };
  expect(await other.append('after')).toBe(5);
  expect(await other.stat()).toMatchObject({ size: size.size + 5 });
});
