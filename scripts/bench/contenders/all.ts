import type { Contender } from './contender.ts';
import {
  eventLoopAsync,
  eventLoopSync,
  fuseNativeBest,
  fuseNativePlain,
  libfuse3,
  memfsLl,
  memfsLlUring,
} from './peers.ts';
import { ramproc } from './ramproc.ts';
import { tmpfs } from './tmpfs.ts';

/** In the order of the tables and of each round. */
export const contenders: readonly Contender[] = [
  tmpfs,
  libfuse3,
  memfsLl,
  memfsLlUring,
  ramproc('direct', 'direct'),
  ramproc('uring', 'direct over io_uring', '--channel', 'uring'),
  ramproc('cached', 'cached', '--io', 'cached'),
  ramproc('passthrough', 'passthrough', '--io', 'passthrough'),
  eventLoopSync,
  eventLoopAsync,
  ramproc('libfuse', 'over fuse-native', '--transport', 'libfuse'),
  fuseNativeBest,
  fuseNativePlain,
];

/** ramproc with so many workers, for `--threads`. */
export function withThreads(threads: number): Contender {
  const label = `${threads} worker${threads === 1 ? '' : 's'}`;
  return ramproc(`threads-${threads}`, label, '--threads', String(threads));
}
