/** Mounts a directory with a file for each of `acts`, which its workers do, and a file that the program serves itself. */
import { ProcDirEntry } from '../../src/proc-fs/entries/entry.ts';
import { procCreate } from '../../src/proc-fs/entries/proc-create.ts';
import { ProcOps } from '../../src/proc-fs/proc-ops.ts';
import { KernelMount } from '../../src/transport/kernel/main-thread/kernel-mount.ts';
import { type Act, acts, attach } from './worker-handler.ts';

const [, , dir = '', threads, channel] = process.argv;
const root = ProcDirEntry.root();
for (const act of Object.keys(acts) as Act[]) procCreate(act, 0o444, root, attach(act));
procCreate('here', 0o444, root, new ProcOps({ read: () => 0 }));
const mount = await KernelMount.mount(root, dir, {
  threads: Number(threads),
  channel: channel === 'uring' ? 'uring' : 'device',
});
process.send?.('mounted');
process.disconnect?.();
await mount.closed;
