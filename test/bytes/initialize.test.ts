import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { fuseInHeader, fuseInitIn, fuseInitOut, fuseOutHeader } from '../../src/abi/structs.ts';
import { mutate, seedsOf } from './mutate.ts';
import { show } from './protocol.ts';
import { Random } from './random.ts';
import { RECORDING, requestsIn } from './recording.ts';
import { Scripted } from './scripted.ts';

const COUNT = 1000;
const REPLY = fuseOutHeader.size + fuseInitOut.size;

const [init = new Uint8Array()] = requestsIn(readFileSync(RECORDING));

beforeEach(() => {
  vi.spyOn(console, 'error').mockImplementation(() => {});
});
afterEach(() => {
  vi.restoreAllMocks();
});

/** What a session's beginning comes to: the replies, or why there is no session. */
function begin(world: Scripted, request: Uint8Array): string {
  try {
    return world
      .initialize(request)
      .map((reply) => Buffer.from(reply).toString('hex'))
      .join();
  } catch (error) {
    return String(error);
  }
}

/** A first request of the kernel's, with a body of `length` bytes. */
function initOf(length: number): Uint8Array {
  const request = init.slice(0, fuseInHeader.size + length);
  fuseInHeader.at(new DataView(request.buffer), 0).len = request.length;
  return request;
}

test(`${COUNT} hostile first requests begin a session or are refused, whatever stands behind them`, async () => {
  using world = await Scripted.start(0x00);
  using other = await Scripted.start(0xff);
  const random = new Random(1);
  const seeds = seedsOf([init]);
  let begun = 0;
  for (let i = 0; i < COUNT; i++) {
    const request = mutate({ random, seeds, probes: [{ nodeid: 0, fh: 0 }] });
    const answer = begin(world, request);
    if (begin(other, request) !== answer) expect.fail(`What is behind it matters: ${show(request)}`);
    if (answer.length === 2 * REPLY) begun++;
    else if (!/^(Mount)?Error: /.test(answer)) expect.fail(`It was answered "${answer}": ${show(request)}`);
  }
  expect(begun).toBeGreaterThan(COUNT / 100);
  expect(console.error).not.toHaveBeenCalled();
});

test('the second word of flags is taken only from a request that has it', async () => {
  using world = await Scripted.start(0xff);
  const flags2 = (reply: Uint8Array | undefined) =>
    reply && fuseInitOut.at(new DataView(reply.buffer), fuseOutHeader.size).flags2;
  expect(flags2(world.initialize(initOf(fuseInitIn.size))[0])).not.toBe(0);
  expect(flags2(world.initialize(initOf(16))[0])).toBe(0);
});
