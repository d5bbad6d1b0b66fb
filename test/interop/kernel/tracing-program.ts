/** Traces a mount of its own twice, with requests meanwhile and between, and prints how many were told of, and for how many there was room left. */
import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

import { ProcDirEntry } from '../../../src/proc-fs/entries/entry.ts';
import { RustProcRamFile } from '../../../src/ram-file/module.ts';
import { KernelMount } from '../../../src/transport/kernel/main-thread/kernel-mount.ts';
import { allocateRoom } from '../../../src/transport/tracers.ts';

const ROOM = 1000;

const [, , dir = ''] = process.argv;
const root = ProcDirEntry.root();
using module = RustProcRamFile.init(root, { maxSize: 1 << 20 });
const mount = await KernelMount.mount(root, dir, {});
const path = `${dir}/${module.entry.name}`;
const cat = async () => void (await promisify(execFile)('cat', [path]));
const room = allocateRoom(ROOM);
let told = 0;
const trace = () => mount.trace(() => told++, { operations: ['READ'] }, room);
/** Workers tell once they have answered. */
const settled = async (reads: number) => {
  while (told !== reads || room[0] !== ROOM - reads) await sleep(1);
};
await cat();
const first = trace();
await cat();
await settled(1);
first[Symbol.dispose]();
for (let i = 0; i < 5; i++) await cat();
const between = [told, ...room];
using _second = trace();
await cat();
await settled(2);
console.log(JSON.stringify({ between, after: [told, ...room] }));
mount.unmount(true);
await mount.closed;
