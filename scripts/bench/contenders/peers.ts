import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Contender } from './contender.ts';
import { startServer } from './server.ts';

/** The peer in C: see peers/ramfs.c. */
export const libfuse3: Contender = {
  id: 'libfuse3',
  label: 'C, libfuse3',
  mount: (dir, { ramfs }) => startServer(dir, ramfs),
};

/** The path of libfuse's own example, where somebody has built it: an in-memory file system in C++. */
const MEMFS_LL = 'RAMPROC_BENCH_MEMFS_LL';

/** The parameter of the module fuse with which it offers io_uring. */
const ENABLE_URING = '/sys/module/fuse/parameters/enable_uring';

/** With direct I/O, and as the others with names and attributes cached. It has no file at first. */
function memfs(id: string, label: string, options: string, check = () => {}): Contender {
  return {
    id,
    label: `C++, ${label}`,
    async mount(dir) {
      const program = process.env[MEMFS_LL];
      if (program === undefined) throw new Error(`${MEMFS_LL} in the environment names no program.`);
      check();
      return await startServer(dir, program, '-f', '-o', options);
    },
  };
}

export const memfsLl = memfs('memfs-ll', 'memfs_ll', 'fuse_dio,no_timeout');

/** It would go on by /dev/fuse where there is none. */
export const memfsLlUring = memfs(
  'memfs-ll-uring',
  'memfs_ll over io_uring',
  'fuse_dio,no_timeout,io_uring',
  () => {
    if (readFileSync(ENABLE_URING, 'utf8') !== 'Y\n')
      throw new Error(`${ENABLE_URING} isn't Y, so there is no io_uring.`);
  },
);

function eventLoop(id: string, label: string, ...parameters: string[]): Contender {
  const path = fileURLToPath(new URL('../peers/event-loop.js', import.meta.url));
  return {
    id,
    label: `ramproc, ${label}`,
    async mount(dir) {
      const mount = await startServer(dir, process.execPath, path, ...parameters);
      return { ...mount, single: join(dir, 'single') };
    },
  };
}

/** ramproc in a program whose handlers run on its event loop. */
export const eventLoopSync = eventLoop('event-loop', 'event loop');
export const eventLoopAsync = eventLoop('event-loop-async', 'event loop, async', '--async');

function fuseNative(id: string, label: string, script: string): Contender {
  const path = fileURLToPath(new URL(`../peers/${script}`, import.meta.url));
  return { id, label, mount: (dir) => startServer(dir, process.execPath, path) };
}

export const fuseNativePlain = fuseNative('fuse-native-plain', 'fuse-native, plain', 'fuse-native-plain.js');
export const fuseNativeBest = fuseNative('fuse-native-best', 'fuse-native, best', 'fuse-native-best.js');
