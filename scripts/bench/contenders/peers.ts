import { fileURLToPath } from 'node:url';
import type { Contender } from './contender.ts';
import { startServer } from './server.ts';

/** The peer in C: see peers/ramfs.c. */
export const libfuse3: Contender = {
  id: 'libfuse3',
  label: 'C, libfuse3',
  mount: (dir, { ramfs }) => startServer(dir, ramfs),
};

function fuseNative(id: string, label: string, script: string): Contender {
  const path = fileURLToPath(new URL(`../peers/${script}`, import.meta.url));
  return { id, label, mount: (dir) => startServer(dir, process.execPath, path) };
}

export const fuseNativePlain = fuseNative('fuse-native-plain', 'fuse-native, plain', 'fuse-native-plain.js');
export const fuseNativeBest = fuseNative('fuse-native-best', 'fuse-native, best', 'fuse-native-best.js');
