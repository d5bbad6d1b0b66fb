/** Mounts over io_uring, with so many threads: `late`, whose reads wait until `wake` is written to; how many wait; and what
 * blocks all until there is a file. */
import { existsSync, writeSync } from 'node:fs';
import { ProcDirEntry } from '../../../src/proc-fs/entries/entry.ts';
import { procCreate } from '../../../src/proc-fs/entries/proc-create.ts';
import { ProcOps } from '../../../src/proc-fs/proc-ops.ts';
import type { UserSliceWriter } from '../../../src/proc-fs/user-slice.ts';
import { KernelMount } from '../../../src/transport/kernel/main-thread/kernel-mount.ts';

const [, , dir = '', threads, go = ''] = process.argv;
const waiting: (() => void)[] = [];
const answer = (to: UserSliceWriter, text: string, offset: number) => {
  const part = Buffer.from(text).subarray(offset);
  to.write(part);
  return part.length;
};

const root = ProcDirEntry.root();
const late = new ProcOps({
  async read(_file, to, offset) {
    if (offset === 0) await new Promise<void>((wake) => waiting.push(wake));
    return answer(to, 'woken\n', offset);
  },
});
procCreate('late', 0o444, root, late);
const count = new ProcOps({ read: (_file, to, offset) => answer(to, `${waiting.length}\n`, offset) });
procCreate('waiting', 0o444, root, count);
const wake = new ProcOps({
  write(_file, from) {
    for (const one of waiting.splice(0)) one();
    return from.length;
  },
});
procCreate('wake', 0o222, root, wake);
const block = new ProcOps({
  read() {
    writeSync(2, 'blocked\n');
    while (!existsSync(go)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
    return 0;
  },
});
procCreate('block', 0o444, root, block);

const mount = await KernelMount.mount(root, dir, { channel: 'uring', threads: Number(threads) });
process.send?.('mounted');
process.disconnect?.();
await mount.closed;
