import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Datagrams } from '../support/datagrams.ts';
import { COMMAND, Mount, ramproc, run } from '../support/mount.ts';
import { makeDir } from '../support/run.ts';
import { aloneWith, bash, shellDir } from '../support/shell.ts';
import { Started } from '../support/started.ts';

const UNIT = join(import.meta.dirname, '../../system/ramproc@.service');

/** What is told to a service manager, a line each; STATUS has the directory's name in place of its path. */
function told(manager: Datagrams, dir: string): string[] {
  return manager.all.flatMap((datagram) => datagram.replaceAll(dir, 'DIR').split('\n'));
}

/** Starts the command as a service does that is to tell of itself at a socket. */
function startService(socket: string, ...words: readonly string[]): Started {
  const env = { ...process.env, NOTIFY_SOCKET: socket };
  return new Started(process.execPath, [COMMAND, ...words, '--json'], { env });
}

describe.each([['a path'], ['an abstract name']])('a service manager that listens at %s', (kind) => {
  const socket = () =>
    kind === 'a path' ? `${makeDir('notify')}/socket` : `@ramproc-test-${process.pid}-${Date.now()}`;

  test.each([
    ['SIGTERM', 'STATUS=SIGTERM, unmounting'],
    ['unmount', 'STATUS=Giving memory back'],
  ])('is told that it is ready, and that it ends by %s', async (end, status) => {
    const name = socket();
    using manager = new Datagrams(name);
    const dir = makeDir('mount');
    const started = startService(name, 'mount', dir, '--foreground');
    await expect.poll(() => told(manager, dir)).toContain('READY=1');
    // Not before clients can use it, and told by the process that was started.
    expect((await run('cat', `${dir}/rust-proc-file`)).status).toBe(0);
    expect(told(manager, dir)).toEqual(['READY=1', `MAINPID=${started.pid}`, 'STATUS=Serving "DIR"']);
    if (end === 'SIGTERM') started.kill('SIGTERM');
    else expect((await ramproc('unmount', dir)).status).toBe(0);
    expect((await started.ended).stderr).toBe(
      end === 'SIGTERM' ? `ramproc: SIGTERM, unmounting "${dir}"\n` : '',
    );
    expect(told(manager, dir).slice(3, 5)).toEqual(['STOPPING=1', status]);
  });
});

test('a service manager sees how far the filling is', async () => {
  const dir = makeDir('mount');
  const socket = `${makeDir('notify')}/socket`;
  using manager = new Datagrams(socket);
  const started = startService(socket, 'mount', dir, '--foreground', '--from', '-');
  started.stdin?.write('some');
  await expect.poll(() => told(manager, dir)).toContain('STATUS=Filling, 4 B');
  expect(told(manager, dir)).not.toContain('READY=1');
  started.stdin?.end();
  await expect.poll(() => told(manager, dir)).toContain('READY=1');
  started.kill('SIGTERM');
  await started.ended;
});

test('a service manager is told of the daemon that goes on in the background', async () => {
  const dir = makeDir('mount');
  const socket = `${makeDir('notify')}/socket`;
  using manager = new Datagrams(socket);
  const started = startService(socket, 'mount', dir);
  const { stdout } = await started.ended;
  await using at = new Mount(JSON.parse(stdout));
  await expect.poll(() => told(manager, dir)).toContain(`MAINPID=${at.pid}`);
});

test.each([
  ['nobody listens', '/nowhere/socket'],
  ['it is of another kind', 'vsock:2:1234'],
])('where %s, it mounts all the same', async (_, socket) => {
  const dir = makeDir('mount');
  const started = startService(socket, 'mount', dir);
  const { how, stdout, stderr } = await started.ended;
  expect([how, stderr]).toEqual([0, '']);
  await using _at = new Mount(JSON.parse(stdout));
});

test('systemd finds nothing wrong with the unit', async () => {
  const dir = shellDir();
  copyFileSync(UNIT, join(dir, 'ramproc@.service'));
  const script = `mkdir -p layers; mount -t tmpfs none layers; mkdir layers/upper layers/work
    mount -t overlay overlay -o lowerdir=/usr/local/bin,upperdir=layers/upper,workdir=layers/work /usr/local/bin
    cp ramproc /usr/local/bin
    systemd-analyze verify --man=no ./ramproc@mnt-ram.service ./ramproc@.service`;
  writeFileSync(`${dir}/script`, aloneWith({}, script));
  expect(await bash(dir, 'unshare --mount bash script')).toEqual({ status: 0, stdout: '', stderr: '' });
});
