import { closeSync, fstatSync, openSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ProcDirEntry } from '../../src/proc-fs/entries/entry.ts';
import { UserSliceReader, UserSliceWriter } from '../../src/proc-fs/user-slice.ts';
import { RustProcRamFile } from '../../src/ram-file/module.ts';
import type { RamFileState } from '../../src/ram-file/ram-file.ts';
import { type Answer, answer } from '../support/answer.ts';
import { PageReferences } from '../support/page-references.ts';

const MIB = 1 << 20;
/** More than one step's. */
const SIZE = 40 * MIB;
/** As much as a pipe holds. */
const HELD = MIB;

/** A file that is full of text, with a descriptor of its own for what its bytes lie in, which outlives it. */
class Full implements Disposable {
  readonly root = ProcDirEntry.root();
  readonly ram: RustProcRamFile;
  readonly fd: number;

  constructor(io: 'direct' | 'passthrough', isSecret: boolean) {
    const secret = isSecret ? { threads: 1 } : undefined;
    this.ram = RustProcRamFile.init(this.root, { maxSize: SIZE, io, secret });
    const text = Buffer.alloc(MIB, 'secret');
    for (let at = 0; at < SIZE; at += MIB) {
      this.ram.file.write(null, new UserSliceReader().place(text, 0, MIB), at);
    }
    const state = this.ram.file.ops().placement.shared?.state as RamFileState | undefined;
    this.fd = openSync(`/proc/self/fd/${state?.buffer.fd}`, 'r');
  }

  read(): Answer<number> {
    return answer(() => this.ram.file.read(null, new UserSliceWriter().place(Buffer.alloc(1), 0, 1), 0));
  }

  [Symbol.dispose](): void {
    this.ram[Symbol.dispose]();
    closeSync(this.fd);
  }
}

describe.each([
  ['direct', true],
  ['direct', false],
  ['passthrough', true],
  ['passthrough', false],
] as const)('the end of a file with %s I/O (a secret: %s)', (io, isSecret) => {
  test('takes entry and data first, and then gives memory back, which it tells step by step', () => {
    using full = new Full(io, isSecret);
    using pages = new PageReferences(full.fd, HELD);
    const told = [];
    for (const freed of full.ram.tearingDown()) {
      told.push(freed);
      expect([...full.root.children]).toEqual([]);
      expect(full.read()).toBe('EBUSY');
      expect(fstatSync(full.fd).blocks * 512).toBe(freed.total - freed.bytes);
    }
    expect(told).toEqual([8 * MIB, 24 * MIB, SIZE].map((bytes) => ({ bytes, total: SIZE })));
    expect(fstatSync(full.fd)).toMatchObject({ size: 0, blocks: 0 });
    expect(pages.take().equals(Buffer.alloc(HELD, isSecret ? 0 : 'secret'))).toBe(true);
    expect([...full.ram.tearingDown()]).toEqual([]);
  });

  test('is whole also when who follows it stops, and when another asks for it meanwhile', () => {
    using full = new Full(io, isSecret);
    using pages = new PageReferences(full.fd, HELD);
    const listen = () => {
      for (const _ of full.ram.tearingDown()) throw new Error('nobody listens');
    };
    expect(listen).toThrow('nobody listens');
    const steps = full.ram.tearingDown();
    expect(steps.next().value).toEqual({ bytes: 24 * MIB, total: SIZE });
    full.ram[Symbol.dispose]();
    expect(fstatSync(full.fd)).toMatchObject({ size: 0, blocks: 0 });
    expect(pages.take().equals(Buffer.alloc(HELD, isSecret ? 0 : 'secret'))).toBe(true);
    expect(steps.next().done).toBe(true);
  });
});

test('a file that is mostly holes is given back in as many steps as it has pieces of data', () => {
  using ram = RustProcRamFile.init(ProcDirEntry.root(), { maxSize: SIZE });
  const bytes = Buffer.from('text');
  for (const at of [0, 2 ** 32, 2 ** 52]) ram.file.write(null, new UserSliceReader().place(bytes, 0, 4), at);
  expect([...ram.tearingDown()].map((step) => step.bytes)).toEqual([4096, 8192, 12288]);
});
