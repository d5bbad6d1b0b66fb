import { chownSync, statSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { mountAt } from '../../src/sys/mountinfo.ts';
import { closeDeviceToOthers, openDeviceToAll } from '../support/device.ts';
import { COMMAND, type Ended, mount, run, runs } from '../support/mount.ts';
import { makeDir } from '../support/run.ts';

const NOBODY = 65534;

/** A directory of nobody's, to mount on. */
function nobodysDir(): string {
  const dir = makeDir('nobody');
  chownSync(dir, NOBODY, NOBODY);
  return dir;
}

/** Runs a shell script as nobody, with `ramproc` as the command and `dir` as the directory. */
function asNobody(dir: string, script: string): Promise<Ended> {
  const as = ['--reuid', `${NOBODY}`, '--regid', `${NOBODY}`, '--clear-groups', '--'];
  const setup = `node=$1 command=$2 dir=$3; ramproc() { "$node" "$command" "$@"; }`;
  return run('setpriv', ...as, 'bash', '-ec', `${setup}\n${script}`, 'bash', process.execPath, COMMAND, dir);
}

describe('an ordinary user', () => {
  test('mounts, writes, reads, copies 64 MiB and unmounts, as the README says', async () => {
    using _device = openDeviceToAll();
    const dir = nobodysDir();
    const { status, stdout, stderr } = await asNobody(
      dir,
      `
      ramproc mount $dir --json
      echo hello > $dir/rust-proc-file && cat $dir/rust-proc-file
      dd if=/dev/urandom of=$dir/rust-proc-file bs=1M count=64 conv=notrunc status=none
      stat -c '%s %U %a' $dir/rust-proc-file
      grep -F " $dir " /proc/mounts
      fusermount -u $dir`,
    );
    expect([status, stderr]).toEqual([0, '']);
    const [json = '', hello, stat, mounted] = stdout.trim().split('\n');
    expect(hello).toBe('hello');
    expect(stat).toBe(`${64 << 20} nobody 666`);
    expect(mounted).toMatch(
      /^ramproc \S+ fuse\.ramproc rw,nosuid,nodev,.*user_id=65534,.*default_permissions/,
    );
    const { pid } = JSON.parse(json);
    await expect.poll(() => runs(pid)).toBe(false);
    expect(mountAt(dir)).toBeUndefined();
  });

  test('is told who uses a mount that can not be unmounted, and can force it', async () => {
    using _device = openDeviceToAll();
    const dir = nobodysDir();
    const { status, stdout, stderr } = await asNobody(
      dir,
      `
      ramproc mount $dir >&2
      exec 5<>$dir/rust-proc-file
      echo data >&5
      ramproc unmount $dir 2>&1 || echo "status $?, process $$"
      ramproc unmount --force $dir
      head -c 1 /dev/fd/5 2>&1 || true
      echo more >&5 || true`,
    );
    expect(status).toBe(0);
    const [, holder] = stdout.match(/it is in use by process (\d+) \(bash -ec/) ?? [];
    expect(stdout).toContain(`status 32, process ${holder}`);
    expect(stdout).toMatch(/busy/i);
    expect(stderr).toMatch(/write error: Device or resource busy/);
    expect(mountAt(dir)).toBeUndefined();
  });

  test("can not unmount another's mount, in any way, and is told whose it is", async () => {
    for (const options of [[], ['--allow-other']]) {
      await using at = await mount(options);
      for (const way of ['', '--lazy', '--force']) {
        expect(await asNobody(at.dir, `ramproc unmount $dir ${way}`)).toEqual({
          status: 32,
          stdout: '',
          stderr: `ramproc: Cannot unmount "${at.dir}": user 0 mounted it, and only that user and root may unmount it.\n`,
        });
      }
      expect(statSync(at.file).isFile()).toBe(true);
    }
  });

  test('without access to /dev/fuse is told so, and what to do', async () => {
    using _device = closeDeviceToOthers();
    const dir = nobodysDir();
    expect(await asNobody(dir, 'ramproc mount $dir')).toEqual({
      status: 32,
      stdout: '',
      stderr:
        'ramproc: Cannot open /dev/fuse: EACCES, permission denied; ask the administrator for access to it, for example with "chmod 666 /dev/fuse".\n',
    });
    expect(mountAt(dir)).toBeUndefined();
  });

  test('without fusermount3 is told so, and what to do', async () => {
    using _device = openDeviceToAll();
    const dir = nobodysDir();
    expect(await asNobody(dir, 'PATH=/none; ramproc mount $dir')).toEqual({
      status: 32,
      stdout: '',
      stderr: `ramproc: Cannot mount on "${dir}": fusermount3 is missing; an ordinary user needs it: "apt install fuse3", or the like.\n`,
    });
    expect(mountAt(dir)).toBeUndefined();
  });

  test("may not let others in unless the administrator allows it, in fusermount3's words", async () => {
    using _device = openDeviceToAll();
    const dir = nobodysDir();
    const { status, stdout, stderr } = await asNobody(dir, 'ramproc mount $dir --allow-other');
    expect([status, stdout]).toEqual([32, '']);
    expect(stderr).toMatch(
      /^ramproc: Cannot mount on ".*": option allow_other only allowed if 'user_allow_other' is set .*\n$/,
    );
    expect(mountAt(dir)).toBeUndefined();
  });

  test("may not mount on another's directory", async () => {
    using _device = openDeviceToAll();
    const dir = makeDir('root');
    const { status, stderr } = await asNobody(dir, 'ramproc mount $dir');
    expect(status).toBe(32);
    expect(stderr).toMatch(/^ramproc: Cannot mount on ".*": user has no write access to mountpoint .*\n$/);
    expect(mountAt(dir)).toBeUndefined();
  });
});
