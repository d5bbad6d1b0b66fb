import { mkdtemp, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Contender } from './contender.ts';

const SHM = '/dev/shm';
/** Source: statfs(2). */
export const TMPFS_MAGIC = 0x01021994;

/** The limit: no server at all. /dev/shm is a tmpfs that needs no privileges. */
export const tmpfs: Contender = {
  id: 'tmpfs',
  label: 'tmpfs',
  async mount() {
    const { type } = await statfs(SHM);
    if (type !== TMPFS_MAGIC) throw new Error(`${SHM} is no tmpfs on this machine.`);
    const dir = await mkdtemp(join(SHM, 'ramproc-bench-'));
    const file = join(dir, 'file');
    await writeFile(file, '');
    return { file, pid: undefined, unmount: () => rm(dir, { recursive: true }) };
  },
};
