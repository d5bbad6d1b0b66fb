import { closeSync, fstatSync, openSync } from 'node:fs';
import { expect, test } from 'vitest';
import { RamBuffer } from '../../src/ram-file/ram-buffer.ts';

// So much memory only root may lock.
test.each([undefined, { threads: 1 }])(
  'a RamBuffer gives its memory back in steps, as a secret %j',
  (secret) => {
    const size = 320 << 20;
    const buffer = RamBuffer.create({ name: 'test', maxSize: 2 * size, secret });
    const bytes = Buffer.alloc(1 << 20, 'x');
    // Of a hole, nothing is to be given back.
    for (let offset = 0; offset < size; offset += 2 * bytes.length) {
      buffer.write(bytes, 0, bytes.length, offset);
    }
    const held = openSync(`/proc/self/fd/${buffer.state.fd}`, 'r');
    const steps = [...buffer.freeing()];
    expect(fstatSync(held)).toMatchObject({ blocks: 0, size: 0 });
    closeSync(held);
    expect(steps.length).toBeGreaterThanOrEqual(20);
    expect(new Set(steps.map(({ total }) => total))).toEqual(new Set([size / 2]));
    const done = steps.map((step) => step.bytes);
    expect(done).toEqual(done.toSorted((one, other) => one - other));
    expect(done.at(-1)).toBe(size / 2);
  },
);
