import { constants, readFileSync, type Stats, statfsSync, statSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE } from '../../src/sys/memfd.ts';
import { must } from '../support/answer.ts';
import { calls } from '../support/calls/index.ts';
import { ofDescriptors } from '../support/descriptors.ts';
import { type Mount, mount, ramproc, run, untilWorkerServes } from '../support/mount.ts';

const MIB = 1 << 20;
const SIZE = 128 * MIB;

/** Source: TMPFS_MAGIC, linux/magic.h. A memfd is a file of a tmpfs too. */
const TMPFS_MAGIC = 0x01021994;

/** Of /proc itself, where the libfuse transport watches the table of mounts. */
const PROC_SUPER_MAGIC = 0x9fa0;

/** What else a process has, such as Node's own memory, that grows a little by chance. */
const SLACK = 24 * MIB;

/** What an idle daemon may take, in bytes. From Node 24 on, Node's own code and threads are 14 MB of it more than in Node 20. */
const IDLE = Number.parseInt(process.versions.node, 10) < 24 ? 80e6 : 90e6;

const ways = [
  ['direct', ['--io', 'direct']],
  ['cached', ['--io', 'cached']],
  ['passthrough', ['--io', 'passthrough']],
  ['libfuse', ['--transport', 'libfuse']],
] as const;

/** The regular files that a process has open, by their paths as /proc shows them. */
function regularFiles(pid: number): { path: string; stat: Stats }[] {
  return ofDescriptors(pid, (_, path) => ({ path, stat: statSync(path) })).filter(({ stat }) =>
    stat.isFile(),
  );
}

/** The memory that a daemon's file takes: its pages, each once. */
function fileMemory({ pid }: Mount): number {
  const inodes = new Map(regularFiles(pid).map(({ stat }) => [stat.ino, stat.blocks * 512]));
  return [...inodes.values()].reduce((sum, bytes) => sum + bytes, 0);
}

/** The memory that a process has of its own and shared, in bytes. Source: VmRSS, proc_pid_status(5). */
function resident({ pid }: Mount): number {
  const [, kib] = readFileSync(`/proc/${pid}/status`, 'utf8').match(/^VmRSS:\s*(\d+) kB$/m) ?? [];
  return Number(kib) * 1024;
}

/** Bytes that a process caused to be written to any storage. Source: proc_pid_io(5). */
function storageWrites({ pid }: Mount): number {
  return Number(readFileSync(`/proc/${pid}/io`, 'utf8').match(/^write_bytes: (\d+)$/m)?.[1]);
}

async function fillWhole({ file }: Mount): Promise<void> {
  const filled = await run('dd', 'if=/dev/zero', `of=${file}`, 'bs=1M', `count=${SIZE / MIB}`, 'status=none');
  expect(filled).toEqual({ status: 0, stdout: '', stderr: '' });
}

describe.each(ways)('with %s I/O', (way, options) => {
  test('a daemon that nobody uses takes at most 80 MB, or 90 on newer Nodes', async () => {
    await using at = await mount(options);
    expect(resident(at)).toBeLessThanOrEqual(IDLE);
  });

  test('bytes take memory alone, and give it back when they are punched out or cut off', async () => {
    await using at = await mount(options);
    await untilWorkerServes(at);
    const empty = resident(at);
    const storage = storageWrites(at);
    expect(fileMemory(at)).toBe(0);
    await fillWhole(at);
    expect(fileMemory(at)).toBe(SIZE);

    const kinds = regularFiles(at.pid).map(({ path }) => statfsSync(path).type);
    expect(kinds.filter((kind) => kind !== TMPFS_MAGIC && kind !== PROC_SUPER_MAGIC)).toEqual([]);
    expect(storageWrites(at)).toBe(storage);

    const fd = must(calls.open(at.file, constants.O_RDWR));
    const punched = calls.fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 10 * MIB, 80 * MIB);
    if (way === 'libfuse') {
      // fuse-native hands no fallocate on: see the README.
      expect(punched).toBe('EOPNOTSUPP');
    } else {
      expect(punched).toBe(0);
      expect(fileMemory(at)).toBe(SIZE - 80 * MIB);
      expect(resident(at)).toBeLessThan(empty + SIZE - 80 * MIB + SLACK);
      expect(calls.fstat(fd)).toMatchObject({ size: SIZE, blocks: (SIZE - 80 * MIB) / 512 });
    }
    expect(calls.ftruncate(fd, 10 * MIB)).toBe(0);
    expect(fileMemory(at)).toBe(10 * MIB);
    expect(resident(at)).toBeLessThan(empty + 10 * MIB + SLACK);
    expect(calls.ftruncate(fd, 0)).toBe(0);
    expect(fileMemory(at)).toBe(0);
    calls.close(fd);
  });

  test('unmount --force gives all of it back while somebody still holds the file open', async () => {
    await using at = await mount(options);
    await untilWorkerServes(at);
    const empty = resident(at);
    await fillWhole(at);
    const fd = must(calls.open(at.file, constants.O_RDONLY));
    try {
      expect(await ramproc('unmount', '--force', at.dir)).toEqual({ status: 0, stdout: '', stderr: '' });
      expect(fileMemory(at)).toBe(0);
      expect(resident(at)).toBeLessThan(empty + SLACK);
    } finally {
      calls.close(fd);
    }
    await at.ended();
  });
});
