import { chmodSync, chownSync, constants, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { mountAt } from '../../src/sys/mountinfo.ts';
import { UTIME_OMIT } from '../../src/sys/time.ts';
import { must } from '../support/answer.ts';
import { alignedBuffer } from '../support/bytes.ts';
import { calls } from '../support/calls/index.ts';
import { until } from '../support/hanging.ts';
import { type Mount, mount, run, runs } from '../support/mount.ts';
import { promptly } from '../support/promptly.ts';
import { makeDir } from '../support/run.ts';

const NOBODY = 65534;

function mountLibfuse(...options: string[]): Promise<Mount> {
  return mount(['--transport', 'libfuse', ...options]);
}

/** What a shell prints; `file` and `dir` are variables in it. Throws when it fails. */
async function sh({ file, dir }: Pick<Mount, 'file' | 'dir'>, script: string): Promise<string> {
  const { status, stdout, stderr } = await run('bash', '-ec', `file=$1 dir=$2\n${script}`, 'bash', file, dir);
  if (status !== 0) throw new Error(`${script}: ${stderr}`);
  return stdout;
}

function endsPromptly(pid: number): Promise<void> {
  return promptly(
    until(() => !runs(pid), `Process ${pid} goes on.`),
    `The end of process ${pid}`,
  );
}

describe('the RAM file over libfuse', () => {
  test('is what echo, cat, dd and truncate expect of a file', async () => {
    await using at = await mountLibfuse();
    expect(await sh(at, 'echo hello > $file; echo again >> $file; cat $file')).toBe('hello\nagain\n');
    const source = `${makeDir('dd')}/source`;
    const sums = await sh(
      at,
      `dd if=/dev/urandom of=${source} bs=1M count=64 status=none
       dd if=${source} of=$file bs=1M status=none
       sha256sum < ${source}; sha256sum < $file; dd if=$file bs=64k status=none | sha256sum`,
    );
    expect(new Set(sums.trim().split('\n')).size).toBe(1);
    expect(
      await sh(at, 'truncate -s 5 $file; stat -c %s $file; truncate -s 3G $file; stat -c %s $file'),
    ).toBe('5\n3221225472\n');
  });

  test('lets clients change nothing in its directory, with the errors of /proc', async () => {
    await using at = await mountLibfuse();
    const none = `${at.dir}/none`;
    expect(calls.open(none, constants.O_RDWR | constants.O_CREAT)).toBe('ENOENT');
    expect(calls.mkdir(none)).toBe('ENOENT');
    expect(calls.symlink('a', none)).toBe('ENOENT');
    expect(calls.link(at.file, none)).toBe('ENOENT');
    expect(calls.rename(at.file, none)).toBe('ENOENT');
    expect(calls.rename(at.file, at.file)).toBe(0);
    // While somebody has it open, libfuse would rename it to a hidden name.
    const fd = must(calls.open(at.file, constants.O_RDONLY));
    expect(calls.unlink(at.file)).toBe('EPERM');
    expect(calls.close(fd)).toBe(0);
    expect(calls.readdir(at.dir)).toEqual(['rust-proc-file']);
    expect((await run('ls', '-la', at.dir)).status).toBe(0);
  });

  test('is mounted as fuse.ramproc, with the limit in df', async () => {
    await using at = await mountLibfuse('--max-size', '64M');
    expect(await sh(at, 'grep " $dir " /proc/mounts')).toMatch(/^ramproc \S+ fuse\.ramproc rw,nosuid,nodev,/);
    expect(await sh(at, 'head -c 1M /dev/zero > $file; df --output=size,used -k $dir | tail -1')).toMatch(
      /^\s*65536\s+1024\s*$/,
    );
  });

  test('has its size, blocks and times right after each change, to the nanosecond', async () => {
    await using at = await mountLibfuse();
    const fd = must(calls.open(at.file, constants.O_RDWR));
    const before = must(calls.fstat(fd));
    expect(calls.pwrite(fd, 'abc', 8192)).toBe(3);
    const written = must(calls.fstat(fd));
    expect(written).toMatchObject({ size: 8195, blocks: 8 });
    expect(written.mtime).toBeGreaterThan(before.mtime);
    expect(written.mtime % 1_000_000n).not.toBe(0n);
    expect(calls.ftruncate(fd, 10)).toBe(0);
    expect(must(calls.stat(at.file))).toMatchObject({ size: 10, blocks: 0 });
    expect(calls.chmod(at.file, 0o640)).toBe(0);
    expect(must(calls.stat(at.file)).mode & 0o7777).toBe(0o640);
    expect(calls.close(fd)).toBe(0);
  });

  test('takes both times of utimensat, down to the millisecond, and one alone not at all', async () => {
    await using at = await mountLibfuse();
    const times = () => {
      const { atime, mtime } = must(calls.stat(at.file));
      return { atime, mtime };
    };
    const set = { atime: 1_000_000_000_123_000_000n, mtime: 2_000_000_000_999_000_000n };
    const [atime, mtime] = [
      { sec: 1_000_000_000, nsec: 123_456_789 },
      { sec: 2_000_000_000, nsec: 999_999_999 },
    ];
    expect(calls.utimensat(at.file, atime, mtime)).toBe(0);
    expect(times()).toEqual(set);
    expect(calls.utimensat(at.file, { sec: 0, nsec: UTIME_OMIT }, { sec: 5, nsec: 0 })).toBe(0);
    expect(times()).toEqual(set);
    expect(calls.utimensat(at.file, { sec: -2, nsec: 5_000_000 }, { sec: 1, nsec: 73_000_000 })).toBe(0);
    expect(times()).toEqual({ atime: -1_995_000_000n, mtime: 1_073_000_000n });
  });

  test('loses and mixes no lines that several processes append', async () => {
    await using at = await mountLibfuse();
    const append = 'for i in $(seq 200); do printf "%03d %0100d\\n" $i $w >> $file; done';
    await Promise.all(Array.from({ length: 8 }, (_, w) => sh(at, `w=${w}; ${append}`)));
    expect(await sh(at, 'sort $file | uniq | grep -cE "^[0-9]{3} 0{99}[0-7]$"; wc -l < $file')).toBe(
      '1600\n1600\n',
    );
  });

  test('reads and writes 128 KiB in one request', async () => {
    await using at = await mountLibfuse();
    const fd = must(calls.open(at.file, constants.O_RDWR));
    const bytes = alignedBuffer(128 << 10).fill('x');
    const requests = async () =>
      Number((await run('cat', `/proc/${at.pid}/io`)).stdout.match(/^syscr: (\d+)$/m)?.[1]);
    const before = await requests();
    for (let i = 0; i < 64; i++) expect(calls.pwrite(fd, bytes, 0)).toBe(bytes.length);
    // A request is a read of /dev/fuse and a few more of the event loop's; in pages of 4 KiB there would be 2,048 of them.
    expect((await requests()) - before).toBeLessThan(1000);
    expect(calls.close(fd)).toBe(0);
  });

  test('ends with its daemon right after fusermount -u', async () => {
    const at = await mountLibfuse();
    expect((await run('fusermount', '-u', at.dir)).status).toBe(0);
    await endsPromptly(at.pid);
    expect(mountAt(at.dir)).toBeUndefined();
  });

  test('ends with its daemon on SIGTERM', async () => {
    const at = await mountLibfuse();
    process.kill(at.pid, 'SIGTERM');
    await endsPromptly(at.pid);
    expect(mountAt(at.dir)).toBeUndefined();
  });

  test('goes on after a lazy unmount until its last descriptor is closed, and takes no time over it', async () => {
    const at = await mountLibfuse();
    const fd = must(calls.open(at.file, constants.O_RDWR));
    expect(calls.write(fd, 'abc')).toBe(3);
    expect((await run('fusermount', '-u', '-z', at.dir)).status).toBe(0);
    const spent = async () =>
      (await run('cat', `/proc/${at.pid}/stat`)).stdout
        .replace(/^.*\) /, '')
        .split(' ')
        .slice(11, 13)
        .join();
    const spendsNothing = async () => {
      const ticks = await spent();
      await sleep(500);
      return (await spent()) === ticks;
    };
    await expect.poll(spendsNothing).toBe(true);
    expect(calls.pread(fd, 10, 0)).toEqual(Buffer.from('abc'));
    expect(calls.close(fd)).toBe(0);
    await endsPromptly(at.pid);
  });

  test('is mounted by an ordinary user too', async () => {
    const mode = statSync('/dev/fuse').mode & 0o777;
    const dir = makeDir('nobody');
    chownSync(dir, NOBODY, NOBODY);
    const as = ['--reuid', `${NOBODY}`, '--regid', `${NOBODY}`, '--clear-groups'];
    const command = new URL('../../bin/ramproc.js', import.meta.url).pathname;
    const mountAs = () =>
      run('setpriv', ...as, process.execPath, command, 'mount', dir, '--json', '--transport', 'libfuse');
    try {
      chmodSync('/dev/fuse', 0o600);
      expect(await mountAs()).toMatchObject({
        stdout: expect.stringMatching(/^\{"error":.*"status":32/),
        stderr: expect.stringMatching(/\/dev\/fuse.*chmod 666/),
      });
      chmodSync('/dev/fuse', 0o666);
      const { stdout, stderr } = await mountAs();
      expect(stderr).toBe('');
      const { file, pid } = JSON.parse(stdout);
      const ran = await run(
        'setpriv',
        ...as,
        'bash',
        '-c',
        'echo hi > $0; cat $0; fusermount -u $1',
        file,
        dir,
      );
      expect(ran).toEqual({ status: 0, stdout: 'hi\n', stderr: '' });
      await endsPromptly(pid);
    } finally {
      chmodSync('/dev/fuse', mode);
    }
  });
});
