import { constants } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { MNT_DETACH, umount2 } from '../../src/sys/mount.ts';
import { mountAt, mounts } from '../../src/sys/mountinfo.ts';
import { must } from '../support/answer.ts';
import { pattern } from '../support/bytes.ts';
import { calls, MAP_SHARED, PROT_READ, PROT_WRITE } from '../support/calls/index.ts';
import { Cgroup } from '../support/cgroup.ts';
import { Client } from '../support/client.ts';
import { inTime } from '../support/hanging.ts';
import { kinds } from '../support/kinds.ts';
import { mount, ramproc, run, runs } from '../support/mount.ts';
import { promptly } from '../support/promptly.ts';
import { makeDir } from '../support/run.ts';
import { Tmpfs } from '../support/tmpfs.ts';
import { processesOf, traces } from './traces.ts';

const MIB = 1 << 20;
const { O_RDWR } = constants;

/**
 * What a write of 10 bytes may answer whose daemon is killed meanwhile: it was done before, was asked and not answered, was
 * just being handed over (fuse_dev_do_read makes EIO of that), or came too late.
 */
const ANSWERS = [10, 'ECONNABORTED', 'EIO', 'ENOTCONN', 'ECANCELED'];

describe.each(kinds)('%s: when the daemon is killed', (_, options) => {
  test('every call is ENOTCONN, and the directory can be unmounted or mounted again at once', async () => {
    const dir = makeDir('killed');
    await using client = await Client.start();
    for (const next of ['unmount', 'mount']) {
      const at = await mount(options, dir);
      const fd = must(await client.sys.open(at.file, O_RDWR));
      expect(await client.sys.write(fd, pattern(0, 10))).toBe(10);
      // With passthrough the kernel serves it by itself, and goes on.
      process.kill(at.pid, 'SIGSTOP');
      const waiting = client.sys.pwrite(fd, pattern(0, 10), 0);
      process.kill(at.pid, 'SIGKILL');
      expect(ANSWERS).toContain(await inTime(waiting, 'A write hangs.'));
      await at.ended();
      // Its threads end one after the other, and what is asked meanwhile is ECONNABORTED.
      await expect.poll(() => calls.open(at.file, O_RDWR)).toBe('ENOTCONN');
      expect(calls.stat(dir)).toBe('ENOTCONN');
      // Somebody still has it open; what is dead is detached all the same.
      const words = next === 'mount' ? [dir, ...options] : [dir, '--lazy'];
      const made = await promptly(ramproc(next, ...words), `"ramproc ${next}"`);
      const notice = `ramproc: "${dir}" was still mounted by a daemon that is dead; replacing it.\n`;
      expect([made.status, made.stderr]).toEqual([0, next === 'mount' ? notice : '']);
      await client.sys.close(fd);
    }
    expect(traces(dir).mounted).toHaveLength(1);
    expect((await ramproc('unmount', dir)).status).toBe(0);
    await expect.poll(() => traces(dir)).toEqual({ mounted: [], running: [] });
  });
});

test.each(['kernel', 'libfuse'])(
  'over %s, a daemon ends also when another mount has taken the device number of its own',
  async (transport) => {
    await using at = await mount(['--transport', transport]);
    const device = mountAt(at.dir)?.device;
    process.kill(at.pid, 'SIGSTOP');
    umount2(at.dir, MNT_DETACH);
    // The kernel gives the lowest number that is free.
    const others = Array.from({ length: 5 }, () => new Tmpfs(MIB));
    try {
      expect(mounts().some((other) => other.device === device)).toBe(true);
      process.kill(at.pid, 'SIGCONT');
      await at.ended();
    } finally {
      for (const other of others) other[Symbol.dispose]();
    }
  },
);

describe.each(['kernel', 'libfuse'])('-o auto_unmount over %s', (transport) => {
  const options = ['--transport', transport, '-o', 'auto_unmount'];

  test('takes the mount away when the daemon is killed, and leaves no fusermount3', async () => {
    const at = await mount(options);
    const fd = must(calls.open(at.file, O_RDWR));
    // It hears of the end of its socket before /dev/fuse is closed, leaves alone what then still seems to be alive, and so comes later.
    const waiting = processesOf(at.dir).filter((pid) => pid !== at.pid);
    expect(waiting).toHaveLength(1);
    for (const pid of waiting) process.kill(pid, 'SIGSTOP');
    process.kill(at.pid, 'SIGKILL');
    await expect.poll(() => calls.open(at.file, O_RDWR)).toBe('ENOTCONN');
    for (const pid of waiting) process.kill(pid, 'SIGCONT');
    await expect.poll(() => traces(at.dir)).toEqual({ mounted: [], running: [] });
    expect(calls.readdir(at.dir)).toEqual([]);
    calls.close(fd);
  });

  test('leaves alone what is mounted after it was unmounted', async () => {
    const at = await mount(options);
    expect((await ramproc('unmount', at.dir)).status).toBe(0);
    await using again = await mount(['--transport', transport], at.dir);
    await at.ended();
    // The new mount's daemon is all that is left.
    await expect.poll(() => traces(at.dir).running).toHaveLength(1);
    expect(calls.readdir(again.dir)).toEqual(['rust-proc-file']);
  });

  test('is taken by the words of mount(8) beside it', async () => {
    await using at = await mount([...options, '-o', 'ro,noexec', '--allow-other']);
    const { stdout } = await run('findmnt', '-n', '-o', 'SOURCE,FSTYPE,OPTIONS', at.dir);
    expect(stdout).toMatch(/^ramproc +fuse\.ramproc +ro,nosuid,nodev,noexec,.*allow_other/);
  });
});

describe('when there is no more memory', () => {
  /** The memory of the daemon's control group. */
  const LIMIT = 96 * MIB;

  /** Writes MiB after MiB, up to `most`. Returns how many bytes that was, and the error. */
  function fillUp(fd: number, most: number): [written: number, error?: string] {
    for (let at = 0; at < most; ) {
      const count = calls.pwrite(fd, pattern(at, MIB), at);
      if (typeof count !== 'number') return [at, count];
      at += count;
    }
    return [most];
  }

  function isPattern(fd: number, length: number): boolean {
    for (let at = 0; at < length; at += MIB) {
      const piece = Math.min(MIB, length - at);
      if (!must(calls.pread(fd, piece, at)).equals(pattern(at, piece))) return false;
    }
    return true;
  }

  test.each(kinds.filter(([kind]) => kind !== 'passthrough'))(
    '%s: a write is ENOSPC, and the daemon lives with all it was given',
    async (kind, options) => {
      await using group = new Cgroup('memory');
      await using inner = new Cgroup('memory', group);
      await using at = await mount([...options, '--max-size', '4G']);
      inner.add(at.pid);
      group.set('memory.limit_in_bytes', LIMIT);
      const fd = must(calls.open(at.file, O_RDWR));
      try {
        const [written, error] = fillUp(fd, LIMIT);
        expect(error).toBe('ENOSPC');
        expect(written).toBeGreaterThan(LIMIT / 4);
        expect(calls.fallocate(fd, 0, 0, 2 * LIMIT)).toBe(kind === 'libfuse' ? 'EOPNOTSUPP' : 'ENOSPC');
        expect(isPattern(fd, written)).toBe(true);
        // What is there can be overwritten, and what was cut off is free again.
        expect(calls.pwrite(fd, pattern(0, MIB), 0)).toBe(MIB);
        expect(calls.ftruncate(fd, 0)).toBe(0);
        expect(fillUp(fd, 16 * MIB)).toEqual([16 * MIB]);
        expect(isPattern(fd, 16 * MIB)).toBe(true);
        expect(runs(at.pid)).toBe(true);
      } finally {
        calls.close(fd);
      }
    },
  );

  test.each(['direct', 'cached'])('%s: what a mapping takes beyond that is an error of msync', async (io) => {
    await using group = new Cgroup('memory');
    await using at = await mount(['--io', io, '--max-size', '4G']);
    await using client = await Client.start();
    group.add(at.pid);
    group.set('memory.limit_in_bytes', LIMIT);
    const fd = must(await client.sys.open(at.file, O_RDWR));
    const own = must(calls.open(at.file, O_RDWR));
    const [written] = fillUp(own, LIMIT);
    calls.close(own);
    const start = Math.ceil(written / MIB) * MIB;
    expect(await client.sys.ftruncate(fd, start + MIB)).toBe(0);
    const memory = must(await client.sys.mmap(fd, start, MIB, PROT_READ | PROT_WRITE, MAP_SHARED));
    await client.sys.store(memory, pattern(0, MIB));
    expect(['ENOSPC', 'EIO']).toContain(await client.sys.msync(memory, MIB));
    expect(calls.stat(at.file)).toMatchObject({ size: start + MIB });
    await client.sys.release();
  });

  test('passthrough: the memory is that of who writes, and the daemon needs none', async () => {
    await using group = new Cgroup('memory');
    await using at = await mount(['--io', 'passthrough', '--max-size', '4G']);
    group.add(at.pid);
    group.set('memory.limit_in_bytes', LIMIT);
    const fd = must(calls.open(at.file, O_RDWR));
    try {
      expect(fillUp(fd, LIMIT + 16 * MIB)).toEqual([LIMIT + 16 * MIB]);
      expect(isPattern(fd, MIB)).toBe(true);
      expect(mountAt(at.dir)).toBeDefined();
    } finally {
      calls.close(fd);
    }
  });
});
