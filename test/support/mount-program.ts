import { rmdirSync } from 'node:fs';
import { ProcDirEntry } from '../../src/proc-fs/entries/entry.ts';
import { procCreate } from '../../src/proc-fs/entries/proc-create.ts';
import { ProcOps } from '../../src/proc-fs/proc-ops.ts';
import { KernelMount } from '../../src/transport/kernel/main-thread/kernel-mount.ts';
import { LibfuseMount } from '../../src/transport/libfuse/libfuse-mount.ts';
import type { Mount } from '../../src/transport/mount.ts';

/** What the test tells this process, which answers each order with what it led to. */
export type Order =
  | { readonly order: 'mount'; readonly dir: string }
  | { readonly order: 'unmount'; readonly lazy: boolean }
  | { readonly order: 'chdir'; readonly dir: string }
  | { readonly order: 'closed' }
  /** Never to do anything again, with the event loop blocked; the directory `sign` goes when it is. */
  | { readonly order: 'block'; readonly sign: string };

export interface Reply {
  readonly error: string | undefined;
  readonly notices: readonly string[];
  /** The mount's. */
  readonly dir: string | undefined;
}

/** A program that mounts, over the transport that its first argument names, when it is told to. */
const [, , transport = ''] = process.argv;
const root = ProcDirEntry.root();
procCreate('file', 0o666, root, new ProcOps({ read: () => 0 }));

let mount: Mount | undefined;
let notices: string[] = [];

async function obey(order: Order): Promise<void> {
  switch (order.order) {
    case 'mount': {
      const options = { notice: (message: string) => void notices.push(message) };
      mount =
        transport === 'kernel'
          ? await KernelMount.mount(root, order.dir, options)
          : await LibfuseMount.mount(root, order.dir, options);
      return;
    }
    case 'unmount':
      return mount?.unmount(order.lazy);
    case 'chdir':
      return process.chdir(order.dir);
    case 'closed':
      return mount?.closed;
    case 'block':
      rmdirSync(order.sign);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  }
}

process.on('message', async (order: Order) => {
  notices = [];
  let error: string | undefined;
  try {
    await obey(order);
  } catch (thrown) {
    error = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
  }
  const reply: Reply = { error, notices, dir: mount?.dir };
  process.send?.(reply);
});
process.on('disconnect', () => process.exit());
process.send?.('started');
