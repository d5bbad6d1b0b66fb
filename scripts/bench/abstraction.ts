/**
 * What the layers cost: a READ of 4 KiB from the request's bytes to the reply's, through all of them, against one loop
 * that does the same by hand. No kernel in between. Prints both and their ratio, and fails when that is over 1.10.
 *
 * The layers are those of dist/, as a mount runs them: tsx would add calls of its own to each closure.
 */
import { openSync, readSync } from 'node:fs';
import type { ProcFile } from '../../src/proc-fs/handler.ts';
import type { ProcOps } from '../../src/proc-fs/proc-ops.ts';
import type { RamFile } from '../../src/ram-file/ram-file.ts';
import type { Call } from '../../src/transport/kernel/call.ts';
import type { FileServer, Node } from '../../src/transport/kernel/operation.ts';
import { format, median } from './statistics.ts';

const LIMIT = 1.1;
const ROUNDS = 15;
const REQUESTS = 200_000;

const SIZE = 4096;
const OFFSET = 8192;
const FILE_SIZE = 1 << 20;
const INO = 2;

async function dist<M>(module: string): Promise<M> {
  return import(new URL(`../../dist/${module}.js`, import.meta.url).href);
}
const { fuseInHeader, fuseReadIn } = await dist<typeof import('../../src/abi/structs.ts')>('abi/structs');
const { Opcode } = await dist<typeof import('../../src/abi/fuse.ts')>('abi/fuse');
const ops = await dist<typeof import('../../src/proc-fs/proc-ops.ts')>('proc-fs/proc-ops');
const slices = await dist<typeof import('../../src/proc-fs/user-slice.ts')>('proc-fs/user-slice');
const buffers = await dist<typeof import('../../src/ram-file/ram-buffer.ts')>('ram-file/ram-buffer');
const files = await dist<typeof import('../../src/ram-file/ram-file.ts')>('ram-file/ram-file');
const calls = await dist<typeof import('../../src/transport/kernel/call.ts')>('transport/kernel/call');
const { fileOperations, serve } =
  await dist<typeof import('../../src/transport/kernel/dispatch.ts')>('transport/kernel/dispatch');
