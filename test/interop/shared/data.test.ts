import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { RamBuffer } from '../../../src/ram-file/ram-buffer.ts';
import { SEEK_DATA, SEEK_HOLE } from '../../../src/sys/memfd.ts';
import { answer } from '../../support/answer.ts';
import { pattern } from '../../support/bytes.ts';
import { Engine } from '../../support/engine.ts';
import { Machine } from '../../support/shared-file.ts';

const K = 4096;
/** Pages that the file may take. */
const PAGES = 12;
const LIMIT = PAGES * K;

let engine: Engine;
let machines: [Machine, Machine];
beforeAll(async () => {
  engine = await Engine.start();
  const options = { on: engine.url, key: 'jobs', maxSize: LIMIT };
  machines = [await Machine.start(options), await Machine.start(options)];
});
afterAll(async () => {
  for (const machine of machines ?? []) await machine[Symbol.asyncDispose]();
  await engine?.[Symbol.asyncDispose]();
});

type Step =
  | { call: 'read' | 'write' | 'copy'; at: number; length: number; to: number }
  | { call: 'fallocate'; mode: number; at: number; length: number }
  | { call: 'truncate' | 'data' | 'hole'; at: number };

/** Where a MiB ends, so that a call touches two. */
const base = 256 * K - 6 * K;
const at = fc
  .tuple(fc.nat(20), fc.constantFrom(0, 0, 1, 100, K - 1))
  .map(([page, more]) => base + page * K + more);
const length = fc
  .tuple(fc.nat(8), fc.constantFrom(0, 1, 100, K - 1))
  .map(([page, more]) => page * K + more + 1);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ call: fc.constantFrom('read', 'write', 'write', 'copy'), at, length, to: at }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      call: fc.constant('fallocate' as const),
      mode: fc.constantFrom(0, 1, 2, 3, 16, 17, 64),
      at,
      length,
    }),
  },
  { weight: 4, arbitrary: fc.record({ call: fc.constantFrom('truncate', 'data', 'hole'), at }) },
) as fc.Arbitrary<Step>;

/** What the RAM file's buffer answers. */
function expected(buffer: RamBuffer, step: Step, seed: number): unknown {
  return answer(() => {
    switch (step.call) {
      case 'read': {
        const bytes = Buffer.alloc(step.length);
        return bytes.subarray(0, buffer.read(bytes, 0, step.length, step.at));
      }
      case 'write':
        return buffer.write(Buffer.from(pattern(0, step.length, seed)), 0, step.length, step.at);
      case 'copy':
        return buffer.copy(step.at, step.to, step.length);
      case 'fallocate':
        buffer.fallocate(step.mode, step.at, step.length);
        return 0;
      case 'truncate':
        buffer.truncate(step.at);
        return 0;
      case 'data':
        return buffer.nextData(step.at);
      case 'hole':
        return buffer.nextHole(step.at);
    }
  });
}

function made(machine: Machine, step: Step, seed: number): Promise<unknown> {
  switch (step.call) {
    case 'read':
      return machine.read(step.at, step.length);
    case 'write':
      return machine.write(step.at, pattern(0, step.length, seed));
    case 'copy':
      return machine.copy(step.at, step.to, step.length);
    case 'fallocate':
      return machine.fallocate(step.mode, step.at, step.length);
    case 'truncate':
      return machine.truncate(step.at);
    case 'data':
      return machine.seek(step.at, SEEK_DATA);
    case 'hole':
      return machine.seek(step.at, SEEK_HOLE);
  }
}

/** Comparing long texts takes no time. */
function shown(answer: unknown): unknown {
  return answer instanceof Uint8Array ? Buffer.from(answer).toString('latin1') : answer;
}

test('two machines in turn are answered as the RAM file answers', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25, size: 'max' }), async (steps) => {
      const buffer = RamBuffer.create({ name: 'test', maxSize: LIMIT });
      try {
        let isReserved = false;
        expect(await machines[0].truncate(0)).toBe(0);
        for (const [i, one] of steps.entries()) {
          const machine = machines[i % 2 === 0 ? 0 : 1];
          // A copy between ranges that overlap never comes.
          if (one.call === 'copy' && Math.abs(one.at - one.to) < one.length) continue;
          // To tmpfs a page that was reserved twice is data, and one that was reserved once a hole: either is right.
          if (one.call === 'fallocate') isReserved ||= one.mode !== 3;
          if ((one.call === 'data' || one.call === 'hole') && isReserved) continue;
          expect(shown(await made(machine, one, i))).toEqual(shown(expected(buffer, one, i)));
          const stat = await machine.stat();
          expect(stat).toMatchObject({ size: buffer.size, blocks: buffer.stat().blocks });
        }
        const all = Buffer.alloc(64 * K);
        const there = buffer.read(all, 0, all.length, base - 10 * K);
        expect(shown(await machines[1].read(base - 10 * K, all.length))).toBe(shown(all.subarray(0, there)));
        const chunks = new Set(
          (await engine.cli('ZRANGE', 'ramproc:{jobs}:chunks', '0', '-1')).split('\n').filter(Boolean),
        );
        const keys = (await engine.cli('KEYS', 'ramproc:{jobs}:[0-9]*')).split('\n').filter(Boolean);
        expect(keys.length).toBe(chunks.size);
      } finally {
        buffer.free();
      }
    }),
    { numRuns: Number(process.env.RUNS ?? 100) },
  );
});
