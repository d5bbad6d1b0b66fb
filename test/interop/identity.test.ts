import { spawn } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { flockHolder } from '../../src/sys/flock.ts';
import { MNT_DETACH, mount as mountCall, umount2 } from '../../src/sys/mount.ts';
import { mountAt, mounts } from '../../src/sys/mountinfo.ts';
import { readLog } from '../support/log.ts';
import { COMMAND, Mount, mount, ramproc } from '../support/mount.ts';
import { MountProgram } from '../support/mount-driver.ts';
import { mountAsNobody, ramprocAsNobody } from '../support/nobody.ts';
import { makeDir } from '../support/run.ts';

const MIB = 1 << 20;
const MS_BIND = 0x1000;

/** Mounts a tmpfs with a file in it on a directory, or over what is mounted there. Disposing it takes all that away. */
function foreign(dir: string) {
  mountCall('foreign', dir, 'tmpfs', 0, `size=${MIB}`);
  writeFileSync(join(dir, 'precious'), 'kept');
  return {
    /** Expects that nobody has touched it. */
    expectThere() {
      expect(mountAt(dir)?.type).toBe('tmpfs');
      expect(readFileSync(join(dir, 'precious'), 'utf8')).toBe('kept');
    },
    [Symbol.dispose]() {
      while (mountAt(dir) !== undefined) umount2(dir, MNT_DETACH);
    },
  };
}

/** A directory in one that can be renamed. */
function makeNested(): { parent: string; dir: string; rename(): string } {
  const parent = join(makeDir('nested'), 'before');
  const dir = join(parent, 'mnt');
  mkdirSync(dir, { recursive: true });
  return {
    parent,
    dir,
    rename() {
      const after = join(parent, '../after');
      renameSync(parent, after);
      return join(after, 'mnt');
    },
  };
}

const ways = [
  { who: 'root', start: mount, command: ramproc },
  { who: 'an ordinary user', start: mountAsNobody, command: ramprocAsNobody },
].flatMap((way) => ['kernel', 'libfuse'].map((transport) => ({ ...way, transport })));

describe.each(ways)('the mount of $who over $transport', ({ start, command, transport }) => {
  const options = ['--transport', transport];

  test('is the one that its daemon unmounts at SIGTERM, and not one that was mounted over it', async () => {
    const log = join(makeDir('log'), 'log');
    writeFileSync(log, '');
    chmodSync(log, 0o666);
    await using at = await start([...options, '--log', log]);
    using other = foreign(at.dir);
    process.kill(at.pid, 'SIGTERM');
    await at.ended();
    other.expectThere();
    expect(readLog(log)).toContain(
      `ramproc: Cannot unmount "${at.dir}": a file system of type tmpfs is mounted over it; unmount that first.\n`,
    );
  });

  test('is unmounted at SIGTERM where it is then, after a parent directory was renamed', async () => {
    const nested = makeNested();
    await using at = await start(options, nested.dir);
    const dir = nested.rename();
    expect(mountAt(dir)?.type).toBe('fuse.ramproc');
    process.kill(at.pid, 'SIGTERM');
    await at.ended();
    expect(mountAt(dir)).toBeUndefined();
  });

  test('is unmounted by the command where it is then', async () => {
    const nested = makeNested();
    await using at = await start(options, nested.dir);
    expect(await command('unmount', nested.rename())).toEqual({ status: 0, stdout: '', stderr: '' });
    await at.ended();
  });

  test('can not be unmounted under another, in any way', async () => {
    await using at = await start(options);
    using other = foreign(at.dir);
    for (const words of [[], ['--lazy'], ['--force']]) {
      expect(await command('unmount', at.dir, ...words)).toEqual({
        status: 32,
        stdout: '',
        stderr: `ramproc: Cannot unmount "${at.dir}": a file system of type tmpfs is mounted over it; unmount that first.\n`,
      });
      other.expectThere();
    }
  });

  test('that a mount over a parent directory hides is named with it', async () => {
    const nested = makeNested();
    await using at = await start(options, nested.dir);
    {
      using _other = foreign(nested.parent);
      mkdirSync(nested.dir);
      const { status, stderr } = await command('unmount', at.dir);
      expect([status, stderr]).toEqual([
        32,
        `ramproc: Cannot unmount "${at.dir}": a file system of type tmpfs is mounted over "${nested.parent}", which hides it; unmount that first.\n`,
      ]);
    }
    expect((await command('unmount', at.dir)).status).toBe(0);
  });
});

test('a mount with another in it can not be unmounted, in any way', async () => {
  await using at = await mount();
  const source = join(makeDir('source'), 'source');
  writeFileSync(source, '');
  writeFileSync(at.file, 'kept');
  mountCall(source, at.file, '', MS_BIND, '');
  try {
    const { type } = mountAt(at.file) ?? {};
    for (const words of [[], ['--lazy'], ['--force']]) {
      expect(await ramproc('unmount', at.dir, ...words)).toEqual({
        status: 32,
        stdout: '',
        stderr: `ramproc: Cannot unmount "${at.dir}": a file system of type ${type} is mounted in it, on "${at.file}"; unmount that first.\n`,
      });
    }
  } finally {
    umount2(at.file, 0);
  }
  expect(readFileSync(at.file, 'utf8')).toBe('kept');
});

/** What a program answers that did what it was told, without a word. */
const ok = { error: undefined, notices: [] };

describe.each(['kernel', 'libfuse'])('a mount of a program over %s', (transport) => {
  test('that has closed unmounts nothing, though another mount has its directory and its numbers', async () => {
    await using program = await MountProgram.start(transport);
    const dir = makeDir('program');
    expect(await program.do({ order: 'mount', dir })).toMatchObject(ok);
    umount2(dir, 0);
    expect(await program.do({ order: 'closed' })).toMatchObject(ok);
    await using again = await mount([], dir);
    expect(await program.do({ order: 'unmount', lazy: true })).toMatchObject(ok);
    expect(mountAt(dir)?.type).toBe('fuse.ramproc');
    expect(readdirSync(again.dir)).toEqual(['rust-proc-file']);
  });

  test('that was unmounted can be unmounted again', async () => {
    await using program = await MountProgram.start(transport);
    expect(await program.do({ order: 'mount', dir: makeDir('program') })).toMatchObject(ok);
    for (const order of ['unmount', 'closed', 'unmount'] as const) {
      expect(await program.do({ order, lazy: false })).toMatchObject(ok);
    }
  });

  test('is on the directory that it was given, also when the program goes to another', async () => {
    await using program = await MountProgram.start(transport);
    const nested = makeNested();
    await program.do({ order: 'chdir', dir: nested.parent });
    expect(await program.do({ order: 'mount', dir: 'mnt' })).toMatchObject({ ...ok, dir: nested.dir });
    await program.do({ order: 'chdir', dir: '/' });
    expect(await program.do({ order: 'unmount', lazy: false })).toMatchObject(ok);
    expect(mountAt(nested.dir)).toBeUndefined();
  });

  test.each([false, true])('says what lies over it, and goes when that is gone; lazy: %j', async (lazy) => {
    await using program = await MountProgram.start(transport);
    const dir = makeDir('program');
    await program.do({ order: 'mount', dir });
    using other = foreign(dir);
    expect(await program.do({ order: 'unmount', lazy })).toMatchObject({
      error: `MountError: Cannot unmount "${dir}": a file system of type tmpfs is mounted over it; unmount that first.`,
    });
    other.expectThere();
    umount2(dir, 0);
    expect(await program.do({ order: 'unmount', lazy })).toMatchObject(ok);
    expect(mountAt(dir)).toBeUndefined();
  });

  test('does not mount over one that is alive, nor on what is not empty', async () => {
    await using program = await MountProgram.start(transport);
    await using at = await mount();
    expect(await program.do({ order: 'mount', dir: at.dir })).toMatchObject({
      error: `MountError: Cannot mount on "${at.dir}": it is mounted already; unmount it first with "ramproc unmount ${at.dir}".`,
    });
    expect(mounts().filter(({ dir }) => dir === at.dir)).toHaveLength(1);
    const full = makeDir('full');
    mkdirSync(join(full, 'something'));
    expect(await program.do({ order: 'mount', dir: full })).toMatchObject({
      error: expect.stringContaining('it is not empty'),
    });
  });

  test('replaces one that is dead, with a notice', async () => {
    await using program = await MountProgram.start(transport);
    const at = await mount();
    process.kill(at.pid, 'SIGKILL');
    await at.ended();
    expect(await program.do({ order: 'mount', dir: at.dir })).toMatchObject({
      error: undefined,
      notices: [`"${at.dir}" was still mounted by a daemon that is dead; replacing it.`],
    });
    expect(mounts().filter(({ dir }) => dir === at.dir)).toHaveLength(1);
    expect(readdirSync(at.dir)).toEqual(['file']);
    expect(await program.do({ order: 'unmount', lazy: false })).toMatchObject(ok);
  });
});

test('a dead mount is replaced, though who served one of the same number before has not let go of that', async () => {
  await using before = await MountProgram.start('kernel');
  const dir = makeDir('before');
  await before.do({ order: 'mount', dir });
  const device = mountAt(dir)?.device;
  process.kill(before.pid, 'SIGSTOP');
  const made: Mount[] = [];
  try {
    umount2(dir, MNT_DETACH);
    // The kernel gives the lowest number that is free, unless somebody else has just taken it.
    do made.push(await mount());
    while (mountAt(made.at(-1)?.dir ?? '')?.device !== device);
    const at = made.at(-1) as Mount;
    process.kill(at.pid, 'SIGKILL');
    await at.ended();
    // A daemon has dropped what it takes to see the descriptors of a program that has all privileges.
    await using program = await MountProgram.start('kernel');
    expect(await program.do({ order: 'mount', dir: at.dir })).toMatchObject({
      error: undefined,
      notices: [`"${at.dir}" was still mounted by a daemon that is dead; replacing it.`],
    });
    expect(readdirSync(at.dir)).toEqual(['file']);
    expect(await ramproc('list', '--json')).toMatchObject({
      stdout: expect.stringContaining(`${program.pid}`),
    });
    expect(await program.do({ order: 'unmount', lazy: false })).toMatchObject(ok);
  } finally {
    process.kill(before.pid, 'SIGCONT');
    for (const one of made) await one[Symbol.asyncDispose]();
  }
});

test('a second mount on a directory that is being filled is told at once who is mounting there', async () => {
  const dir = makeDir('filling');
  const first = spawn(process.execPath, [COMMAND, 'mount', dir, '--json', '--from', '-'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let said = '';
  first.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const ended = new Promise((end) => first.once('close', end));
  first.stdin.write('first ');
  const fd = openSync(dir, 'r');
  await expect.poll(() => flockHolder(fd)).toBeDefined();
  const who = flockHolder(fd);
  closeSync(fd);
  const second = await ramproc('mount', dir);
  expect(second).toEqual({
    status: 32,
    stdout: '',
    stderr: `ramproc: Cannot mount on "${dir}": process ${who} is mounting on it already; wait until it has, or end it.\n`,
  });
  first.stdin.end('second');
  expect(await ended).toBe(0);
  await using at = new Mount(JSON.parse(said));
  expect(who).toBe(at.pid);
  expect(readFileSync(at.file, 'utf8')).toBe('first second');
});
