import { mkdtemp, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Contender, Mount } from './contender.ts';

const SHM = '/dev/shm';
/** Source: statfs(2). */
export const TMPFS_MAGIC = 0x01021994;

/** An empty file in a new directory of /dev/shm, a tmpfs that needs no privileges. `unmount` removes both. */
export async function tmpfsFile(): Promise<Mount> {
  const { type } = await statfs(SHM);
  if (type !== TMPFS_MAGIC) throw new Error(`${SHM} is no tmpfs on this machine.`);
  const dir = await mkdtemp(join(SHM, 'ramproc-bench-'));
  const file = join(dir, 'file');
  await writeFile(file, '');
  return { file, pid: undefined, unmount: () => rm(dir, { recursive: true }) };
}

/** The limit: no server at all. */
export const tmpfs: Contender = { id: 'tmpfs', label: 'tmpfs', mount: tmpfsFile };
