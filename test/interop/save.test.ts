import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { mountAt } from '../../src/sys/mountinfo.ts';
import { isUniform, pattern } from '../support/bytes.ts';
import { Client } from '../support/client.ts';
import { Datagrams } from '../support/datagrams.ts';
import { openDeviceToAll } from '../support/device.ts';
import { kinds } from '../support/kinds.ts';
import { COMMAND, mount, ramproc, run, runs } from '../support/mount.ts';
import { mountAsNobody, NOBODY, ramprocAsNobody } from '../support/nobody.ts';
import { makeDir } from '../support/run.ts';
import { Started, startRamproc } from '../support/started.ts';
import { Tmpfs } from '../support/tmpfs.ts';

const MIB = 1 << 20;
const DONE = { status: 0, stdout: '', stderr: '' };

/** How often a file is saved that is being written. */
const SAVES = 8;

/** Data, a hole of more than all may take that its mounts have, data, and a hole at the end. Returns how much it is. */
function writeSparse(path: string): Buffer {
  const data = pattern(0, 3 * MIB + 5);
  writeFileSync(path, data);
  truncateSync(path, 20 * MIB);
  writeFileSync(path, 'far', { flag: 'a' });
  truncateSync(path, 30 * MIB + 1);
  return data;
}

describe.each(kinds)('a file that is %s', (_, options) => {
  let dir: string | undefined;
  const saved = () => {
    dir ??= makeDir('save');
    return dir;
  };

  test('is saved with its holes and its mode, and restored the same', async () => {
    const to = join(makeDir('save'), 'saved');
    await using at = await mount(['-s', '8M', '-m', '0640', ...options]);
    writeSparse(at.file);
    expect(await ramproc('save', at.dir, to)).toEqual(DONE);
    const { size, blocks, mode } = statSync(to);
    expect([size, blocks * 512 < 5 * MIB, mode & 0o777]).toEqual([30 * MIB + 1, true, 0o640]);
    await using again = await mount(['-s', '8M', '--restore', to, ...options]);
    expect((await run('cmp', at.file, to)).status + (await run('cmp', again.file, to)).status).toBe(0);
    expect(statSync(again.file).blocks).toBe(statSync(at.file).blocks);
    expect(readdirSync(join(to, '..'))).toEqual(['saved']);
  });

  test.each([
    ['ramproc unmount', (dir: string) => ramproc('unmount', dir)],
    ['fusermount3 -u', (dir: string) => run('fusermount3', '-u', dir)],
    ['umount', (dir: string) => run('umount', dir)],
    ['SIGTERM', (_: string, pid: number) => process.kill(pid, 'SIGTERM')],
    ['SIGINT', (_: string, pid: number) => process.kill(pid, 'SIGINT')],
    ['ramproc unmount --force', (dir: string) => ramproc('unmount', '--force', dir)],
  ])('is saved at its end by %s, and restored from what was saved before', async (name, end) => {
    const to = join(saved(), 'saved');
    // By the end that was tried before; at first there is none.
    const before = existsSync(to) ? readFileSync(to, 'utf8') : '';
    const at = await mount(['--save', to, '--restore', to, ...options]);
    expect(readFileSync(at.file, 'utf8')).toBe(before);
    const after = `${before}${name}\n`;
    writeFileSync(at.file, after);
    await end(at.dir, at.pid);
    await at.ended();
    expect(readFileSync(to, 'utf8')).toBe(after);
    expect(readdirSync(saved())).toEqual(['saved']);
  });

  test('is not saved by SIGKILL, and what was saved before is there', async () => {
    const to = join(makeDir('save'), 'saved');
    writeFileSync(to, 'before');
    const at = await mount(['--save', to, ...options]);
    writeFileSync(at.file, 'after');
    process.kill(at.pid, 'SIGKILL');
    await at.ended();
    expect([readFileSync(to, 'utf8'), readdirSync(join(to, '..'))]).toEqual(['before', ['saved']]);
    expect((await ramproc('unmount', '--lazy', at.dir)).status).toBe(0);
  });
});

test.each(kinds.filter(([kind]) => kind !== 'passthrough'))(
  'what is saved while writers write a file that is %s is of one moment',
  async (_, options) => {
    const length = 4 * MIB;
    const to = join(makeDir('save'), 'saved');
    await using at = await mount(options);
    await using client = await Client.start();
    writeFileSync(at.file, Buffer.alloc(length));
    const sign = join(makeDir('over'), 'sign');
    // One write(2) of so much is several requests: no reader sees less than the handler has, and that is what is saved.
    const wrote = client.sys.writeUniform(at.file, 64 << 10, { sign });
    for (let saved = 0; saved < SAVES; saved++) {
      expect(await ramproc('save', at.dir, to)).toEqual(DONE);
      const bytes = readFileSync(to);
      expect([bytes.length, isUniform(bytes.subarray(0, 64 << 10))]).toEqual([length, true]);
    }
    writeFileSync(sign, '');
    const { data = 0 } = await wrote;
    expect(data).toBeGreaterThan(0);
  },
);

describe('a disk that is full', () => {
  test('keeps what was there, and nothing of the new one', async () => {
    using disk = new Tmpfs('1M');
    const to = join(disk.dir, 'saved');
    writeFileSync(to, 'before');
    await using at = await mount();
    writeFileSync(at.file, pattern(0, 2 * MIB));
    expect(await ramproc('save', at.dir, to)).toEqual({
      status: 32,
      stdout: '',
      stderr: `ramproc: Cannot save "${at.dir}" to "${to}": ENOSPC, no space left on device; make room; what was there before is there still.\n`,
    });
    expect([readFileSync(to, 'utf8'), readdirSync(disk.dir)]).toEqual(['before', ['saved']]);
  });

  test('loses nothing at the end: the data is kept, and saved once there is room', async () => {
    using disk = new Tmpfs('1M');
    const [to, log] = [join(disk.dir, 'saved'), join(makeDir('log'), 'log')];
    writeFileSync(to, 'before');
    const at = await mount(['--save', to, '--log', log]);
    const data = pattern(0, 2 * MIB);
    writeFileSync(at.file, data);
    const { status, stderr } = await ramproc('unmount', at.dir);
    const why = `Cannot save "rust-proc-file" to "${to}": ENOSPC, no space left on device; make room; what was there before is there still; process ${at.pid} keeps it in memory and tries again every 10 s, and "kill ${at.pid}" gives it up.`;
    expect([status, stderr]).toEqual([32, `ramproc: "${at.dir}" is unmounted. ${why}\n`]);
    expect([mountAt(at.dir), runs(at.pid), readFileSync(to, 'utf8')]).toEqual([undefined, true, 'before']);
    expect((await ramproc('mount', makeDir('mount'), '--save', to)).stderr).toContain(
      `process ${at.pid} saves to it already; give each mount a file of its own.\n`,
    );
    await run('mount', '-i', '-o', 'remount,size=8M', disk.dir);
    await at.ended();
    expect(readFileSync(to).equals(data)).toBe(true);
    expect(readFileSync(log, 'utf8').replace(/^\S+ ramproc\[\d+\]: /gm, '')).toBe(
      `${why}\n"rust-proc-file" is saved to "${to}" now.\n`,
    );
  });

  test.each([['SIGTERM'], ['unmount']])('is given up when it is told to end, after %s', async (end) => {
    using disk = new Tmpfs('1M');
    const [to, log] = [join(disk.dir, 'saved'), join(makeDir('log'), 'log')];
    const at = await mount(['--save', to, '--log', log]);
    writeFileSync(at.file, pattern(0, 2 * MIB));
    if (end === 'SIGTERM') process.kill(at.pid, 'SIGTERM');
    else await ramproc('unmount', at.dir);
    await expect.poll(() => readFileSync(log, 'utf8')).toContain('Cannot save');
    expect(runs(at.pid)).toBe(true);
    process.kill(at.pid, 'SIGTERM');
    await at.ended();
    expect(readFileSync(log, 'utf8')).toContain(`"rust-proc-file" is given up, and not saved to "${to}".\n`);
    expect([readdirSync(disk.dir), mountAt(at.dir)]).toEqual([[], undefined]);
  });
});

describe('who may', () => {
  test("an ordinary user saves what is theirs, with their own rights, and nothing of root's", async () => {
    const dir = makeDir('save');
    chmodSync(dir, 0o777);
    await using at = await mountAsNobody(['-m', '0600']);
    expect(await ramprocAsNobody('save', at.dir, join(dir, 'a'))).toEqual(DONE);
    const { uid, mode } = statSync(join(dir, 'a'));
    expect([uid, mode & 0o777]).toEqual([NOBODY, 0o600]);
    // Root isn't let in, and may all the same; the file is root's.
    expect(await ramproc('save', at.dir, join(dir, 'b'))).toEqual(DONE);
    expect(statSync(join(dir, 'b')).uid).toBe(0);

    await using roots = await mount(['--allow-other']);
    expect((await ramprocAsNobody('save', roots.dir, join(dir, 'c'))).stderr).toBe(
      `ramproc: Cannot save "${roots.dir}" to "${join(dir, 'c')}": only user 0 and root may ask its daemon.\n`,
    );
    chmodSync(dir, 0o755);
    expect((await ramprocAsNobody('save', at.dir, join(dir, 'd'))).stderr).toMatch(
      /: EACCES, permission denied; give the path of a file that you may write\.\n$/,
    );
    expect(readdirSync(dir).toSorted()).toEqual(['a', 'b']);
  });

  test('what a mount saves is written with the rights of who mounted it, and refused at once where those are not enough', async () => {
    using _device = openDeviceToAll();
    const dir = makeDir('save');
    const to = join(dir, 'a');
    await expect(mountAsNobody(['--save', to])).rejects.toThrow(
      `Cannot mount with "--save ${to}": EACCES, permission denied; give --save a file that you may write.`,
    );
    chmodSync(dir, 0o777);
    const at = await mountAsNobody(['--save', to]);
    expect(await ramprocAsNobody('unmount', at.dir)).toEqual(DONE);
    expect(statSync(to).uid).toBe(NOBODY);
    // Root's daemon may write where root may, though it has dropped most of what it could.
    const theirs = join(makeDir('theirs'), 'deep');
    mkdirSync(theirs, { mode: 0o500 });
    await run('chown', `${NOBODY}`, theirs);
    const roots = await mount(['--save', join(theirs, 'a')]);
    writeFileSync(roots.file, 'data');
    expect(await ramproc('unmount', roots.dir)).toEqual(DONE);
    expect(readFileSync(join(theirs, 'a'), 'utf8')).toBe('data');
  });
});

test('of two mounts that would save to the same file, by whatever path, the second is refused', async () => {
  const dir = makeDir('save');
  await run('ln', '-s', '.', join(dir, 'link'));
  const to = join(dir, 'saved');
  const at = await mount(['--save', to]);
  const { status, stderr } = await ramproc(
    'mount',
    makeDir('mount'),
    '--save',
    join(dir, 'link/../saved/../link/saved'),
  );
  expect([status, stderr]).toEqual([32, expect.stringContaining('ramproc: Cannot mount with "--save ')]);
  expect((await ramproc('mount', makeDir('mount'), '--save', join(dir, 'link/saved'))).stderr).toContain(
    `process ${at.pid} saves to it already; give each mount a file of its own.\n`,
  );
  expect(await ramproc('unmount', at.dir)).toEqual(DONE);
  // At once: the first is done with it.
  const next = await mount(['--save', to]);
  expect(await ramproc('unmount', next.dir)).toEqual(DONE);
});

test('of several files the one is saved whose path is given', async () => {
  const to = join(makeDir('save'), 'saved');
  await using at = await mount(['--file', 'a', '--file', 'b']);
  writeFileSync(join(at.dir, 'b'), 'data of b');
  expect(await ramproc('save', join(at.dir, 'b'), to)).toEqual(DONE);
  expect(readFileSync(to, 'utf8')).toBe('data of b');
  expect((await ramproc('save', at.dir, to)).stderr).toContain(
    'it has several files; say which, as in DIR/a: it has "a" and "b".\n',
  );
});

test('a mount that fails or that nobody knows of saves nothing', async () => {
  const to = join(makeDir('save'), 'saved');
  writeFileSync(to, 'before');
  const big = join(makeDir('big'), 'big');
  writeFileSync(big, Buffer.alloc(2 * MIB));
  const { status } = await ramproc('mount', makeDir('mount'), '-s', '1M', '--from', big, '--save', to);
  expect([status, readFileSync(to, 'utf8')]).toEqual([32, 'before']);
  const started = startRamproc('mount', makeDir('mount'), '--from', '-', '--save', to);
  started.stdin?.write('half');
  await sleep(500);
  started.kill('SIGTERM');
  await started.ended;
  expect([readFileSync(to, 'utf8'), readdirSync(join(to, '..'))]).toEqual(['before', ['saved']]);
});

test('a command that is ended while it saves leaves what was there, and nothing else', async () => {
  const to = join(makeDir('save'), 'saved');
  writeFileSync(to, 'before');
  await using at = await mount();
  writeFileSync(at.file, Buffer.alloc(512 * MIB, 1));
  const started = new Started(process.execPath, [COMMAND, 'save', at.dir, to], {});
  await expect.poll(() => readdirSync(join(to, '..')).length).toBe(2);
  started.kill('SIGINT');
  await started.ended;
  expect([readFileSync(to, 'utf8'), readdirSync(join(to, '..'))]).toEqual(['before', ['saved']]);
});

test('a service manager is told how far saving is, given time for it, and told of what keeps it from it', async () => {
  using disk = new Tmpfs('64M');
  const [dir, to, socket] = [makeDir('mount'), join(disk.dir, 'saved'), `${makeDir('notify')}/socket`];
  using manager = new Datagrams(socket);
  const env = { ...process.env, NOTIFY_SOCKET: socket };
  const started = new Started(process.execPath, [COMMAND, 'mount', dir, '--foreground', '--save', to], {
    env,
  });
  const told = () => manager.all.join('\n');
  await expect.poll(told).toContain('READY=1');
  writeFileSync(join(dir, 'rust-proc-file'), pattern(0, 65 * MIB));
  started.kill('SIGTERM');
  await expect.poll(told).toContain('STATUS=Cannot save "rust-proc-file"');
  expect(told()).toMatch(/STATUS=Saving, \d.* of 65 MiB\nEXTEND_TIMEOUT_USEC=30000000\n/);
  started.kill('SIGTERM');
  await started.ended;
});
