import { truncate } from 'node:fs/promises';
import { output } from './command.ts';
import { MiB } from './sizes.ts';

/** Makes a file hold `bytes`, a whole number of MiB, all written anew. */
export async function fill(file: string, bytes: number): Promise<void> {
  await truncate(file, 0);
  if (bytes === 0) return;
  await output('dd', 'if=/dev/zero', `of=${file}`, 'bs=1M', `count=${bytes / MiB}`, 'conv=notrunc');
}
