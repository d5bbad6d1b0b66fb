import { constants } from 'node:fs';
import { threadId } from 'node:worker_threads';
import { type Placement, ProcDirEntry, ProcOps, procCreate } from 'ramproc';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { must } from '../../support/answer.ts';
import { Client } from '../../support/client.ts';
import { until } from '../../support/hanging.ts';
// biome-ignore lint/correctness/useImportExtensions: its types stand in a file of their own.
import { attach } from './told-in-a-worker.mjs';
import { readOf, Tree } from './tree.ts';

const { O_RDONLY } = constants;

let client: Client;
beforeAll(async () => {
  client = await Client.start();
});
afterAll(() => client[Symbol.asyncDispose]());

/** A tree with one file, which its thread serves until a worker is needed. */
async function mountAlone(ops: ProcOps): Promise<Tree> {
  const root = ProcDirEntry.root();
  procCreate('file', 0o666, root, ops);
  return await Tree.of(root, { alone: true });
}

test('a file for workers is served without one, and by one once there is more to do, also for who has it open', async () => {
  await using tree = await mountAlone(attach({}));
  const fd = must(await client.sys.open(tree.path('file'), O_RDONLY));
  const served = async () => JSON.parse(Buffer.from(must(await client.sys.pread(fd, 4096, 0))).toString());
  const { opener, opened, ...first } = await served();
  expect(first).toMatchObject({ threadId });
  await until(async () => (await served()).threadId !== threadId, 'No worker came.');
  expect(await served()).toMatchObject({ opener, opened });
  await client.sys.close(fd);
});

test('where no worker can be started the thread goes on alone, and says why', async () => {
  const said = vi.spyOn(console, 'error').mockImplementation(() => {});
  const nowhere: Placement = { shared: { module: 'file:///nowhere.mjs', state: undefined } };
  await using tree = await mountAlone(
    new ProcOps({ lseek: () => 0, read: readOf(() => Buffer.from('here')) }, nowhere),
  );
  const fd = must(await client.sys.open(tree.path('file'), O_RDONLY));
  const read = async () => Buffer.from(must(await client.sys.pread(fd, 100, 0))).toString();
  await until(async () => (await read()) === 'here' && said.mock.calls.length > 0, 'Nothing was said.');
  expect(said.mock.calls).toEqual([
    [
      expect.stringMatching(
        /^ramproc: no worker can be started \(.*nowhere.*\); the mount is served by one thread less\.$/,
      ),
    ],
  ]);
  expect(await read()).toBe('here');
  await client.sys.close(fd);
  said.mockRestore();
});
