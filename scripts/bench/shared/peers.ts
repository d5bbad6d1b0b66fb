import { type ChildProcess, execFile, fork, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs, promisify } from 'node:util';
import { freePort } from '../../../test/support/free-port.ts';
import type { Figures, Order } from './peer-client.ts';

/**
 * npm run bench:shared:peers -- [--seconds N] [--install]
 *
 * A file that two machines share, by ramproc and by its peers, each with its server on this machine and two mounts, one after the other: how often it can be
 * opened, read, written, appended to and locked, how soon a change shows on the other mount, and whether appends of both and locks hold. --install
 * has apt-get and npm install what is missing.
 */
const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '1' }, install: { type: 'boolean', default: false } },
});
const run = promisify(execFile);
const SIZE = 8 << 20;
/** How long a client may take, in milliseconds. */
const LONG = 60_000;
const dir = mkdtempSync(join(tmpdir(), 'ramproc-peers-'));
const ramproc = join(import.meta.dirname, '../../../bin/ramproc.js');
const started: ChildProcess[] = [];
const mounted: string[] = [];

/** One that shares a file: starts what it takes, and returns the file's path on each of two mounts. */
interface Peer {
  readonly name: string;
  /** A command that it takes, and the package that has it. */
  readonly needs?: readonly (readonly [command: string, pkg: string])[];
  share(own: string): Promise<readonly [string, string]>;
}

const peers: Peer[] = [
  { name: 'ramproc --on, direct', share: (own) => shared(own) },
  { name: 'ramproc --on, cached', share: (own) => shared(own, '--io', 'cached') },
  {
    name: 'sshfs',
    needs: [
      ['sshfs', 'sshfs'],
      ['/usr/sbin/sshd', 'openssh-server'],
    ],
    share: (own) => overSsh(own),
  },
  {
    name: 'sshfs, no caches',
    needs: [],
    share: (own) => overSsh(own, 'direct_io,sshfs_sync,dir_cache=no,attr_timeout=0,entry_timeout=0'),
  },
  { name: 'rclone mount, WebDAV', needs: [['rclone', 'rclone']], share: overWebdav },
  { name: 's3fs', needs: [['s3fs', 's3fs']], share: overS3 },
];

try {
  const heading = ['', 'open', 'read 4 KiB', 'write 4 KiB', 'read 1 MiB', 'write 1 MiB', 'append', 'lock'];
  const shows = ['a change shows after', 'appends of two lost', 'locks hold'];
  for (const row of [[...heading, ...shows], [...heading, ...shows].map(() => '---')])
    console.log(`| ${row.join(' | ')} |`);
  for (const [i, peer] of peers.entries()) {
    const own = join(dir, String(i));
    mkdirSync(own);
    let cells: string[];
    try {
      for (const [command, pkg] of peer.needs ?? []) await need(command, pkg);
      const [one, other] = await peer.share(own);
      cells = cellsOf(await measure(one, other));
    } catch (error) {
      cells = [`not measured: ${String((error as Error).message).split('\n')[0]}`];
    }
    await end();
    console.log(`| ${[peer.name, ...cells].join(' | ')} |`);
  }
} finally {
  await end();
  rmSync(dir, { recursive: true, force: true });
}

/** Unmounts and ends what was started, by its own process number. */
async function end(): Promise<void> {
  for (const at of mounted.splice(0)) await run('umount', ['-l', at]).catch(() => {});
  for (const one of started.splice(0)) {
    const ended = new Promise((done) => one.once('exit', done));
    if (one.exitCode === null && one.signalCode === null) {
      one.kill('SIGTERM');
      await Promise.race([ended, sleep(3000).then(() => one.kill('SIGKILL'))]);
    }
  }
}

async function need(command: string, pkg: string): Promise<void> {
  const isThere = () =>
    command.startsWith('/')
      ? Promise.resolve(existsSync(command))
      : run('which', [command]).then(
          () => true,
          () => false,
        );
  if (await isThere()) return;
  if (!values.install) throw new Error(`${command} is missing; --install has apt-get install it`);
  await run('apt-get', ['-qq', 'install', '--no-install-recommends', '-y', pkg], {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
}

function start(program: string, words: string[], env: Record<string, string> = {}): ChildProcess {
  const child = spawn(program, words, { stdio: 'ignore', env: { ...process.env, ...env } });
  started.push(child);
  return child;
}

/** Two directories to mount on. */
function two(own: string): [string, string] {
  const both: [string, string] = [join(own, 'a'), join(own, 'b')];
  for (const at of both) mkdirSync(at);
  mounted.push(...both);
  return both;
}

async function until(isSo: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (let i = 0; i < 200; i++) {
    if (await Promise.resolve(isSo()).catch(() => false)) return;
    await sleep(100);
  }
  throw new Error(what);
}

async function isMounted(at: string): Promise<boolean> {
  return run('mountpoint', ['-q', at]).then(
    () => true,
    () => false,
  );
}

async function shared(own: string, ...options: string[]): Promise<[string, string]> {
  const port = await freePort();
  start('redis-server', ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', own, '--save', '']);
  await sleep(500);
  const files: string[] = [];
  for (const at of two(own)) {
    const on = ['--on', `redis://127.0.0.1:${port}`, '--key', 'bench', '-s', '64M', ...options];
    await run(process.execPath, [ramproc, 'mount', ...on, at]);
    files.push(join(at, 'rust-proc-file'));
  }
  const [one = '', other = ''] = files;
  writeFileSync(one, Buffer.alloc(SIZE, 'x'));
  return [one, other];
}

async function overSsh(own: string, options?: string): Promise<[string, string]> {
  const port = await freePort();
  for (const name of ['host', 'user'])
    await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(own, name)]);
  await run('cp', [join(own, 'user.pub'), join(own, 'authorized')]);
  mkdirSync('/run/sshd', { recursive: true });
  const lines = [
    ...[`Port ${port}`, 'ListenAddress 127.0.0.1', `HostKey ${join(own, 'host')}`, 'PidFile none'],
    ...[
      `AuthorizedKeysFile ${join(own, 'authorized')}`,
      'StrictModes no',
      'PermitRootLogin yes',
      'UsePAM no',
    ],
    'Subsystem sftp internal-sftp',
  ];
  writeFileSync(join(own, 'config'), `${lines.join('\n')}\n`);
  start('/usr/sbin/sshd', ['-D', '-f', join(own, 'config')]);
  await sleep(500);
  const data = join(own, 'data');
  mkdirSync(data);
  writeFileSync(join(data, 'file'), Buffer.alloc(SIZE, 'x'));
  const ssh = [
    'StrictHostKeyChecking=no',
    'UserKnownHostsFile=/dev/null',
    `IdentityFile=${join(own, 'user')}`,
  ];
  const words = ['-f', '-p', `${port}`, '-o', [...ssh, 'reconnect', ...(options ? [options] : [])].join(',')];
  const both = two(own);
  for (const at of both) start('sshfs', [...words, `root@127.0.0.1:${data}`, at]);
  for (const at of both) await until(() => isMounted(at), 'it does not mount');
  return [join(both[0], 'file'), join(both[1], 'file')];
}

async function overWebdav(own: string): Promise<[string, string]> {
  const port = await freePort();
  const data = join(own, 'data');
  mkdirSync(data);
  writeFileSync(join(data, 'file'), Buffer.alloc(SIZE, 'x'));
  const config = { RCLONE_CONFIG: join(own, 'none'), XDG_CACHE_HOME: join(own, 'cache') };
  start('rclone', ['serve', 'webdav', '--addr', `127.0.0.1:${port}`, '--dir-cache-time', '0s', data], config);
  await sleep(1500);
  const both = two(own);
  for (const [i, at] of both.entries()) {
    const on = [
      'mount',
      ':webdav:',
      at,
      '--webdav-url',
      `http://127.0.0.1:${port}`,
      '--cache-dir',
      join(own, `${i}`),
    ];
    const how = ['--vfs-cache-mode', 'writes', '--vfs-write-back', '0s', '--dir-cache-time', '1s'];
    start('rclone', [...on, ...how, '--attr-timeout', '1s'], config);
  }
  for (const at of both) await until(() => isMounted(at), 'it does not mount');
  return [join(both[0], 'file'), join(both[1], 'file')];
}

/** A server of the npm package s3rver, which keeps objects as files. */
async function overS3(own: string): Promise<[string, string]> {
  const program = join(own, 'node_modules/s3rver/bin/s3rver.js');
  if (!values.install) throw new Error('s3rver is missing; --install has npm install it');
  await run('npm', ['install', '--silent', '--no-audit', '--no-fund', '--prefix', own, 's3rver@3.7.1']);
  const port = await freePort();
  const data = join(own, 'data');
  mkdirSync(data);
  const words = ['-d', data, '-a', '127.0.0.1', '-p', `${port}`, '--configure-bucket', 'bench', '--silent'];
  start(process.execPath, [program, ...words]);
  writeFileSync(join(own, 'password'), 'S3RVER:S3RVER\n', { mode: 0o600 });
  await sleep(2000);
  const both = two(own);
  for (const at of both) {
    const how = [
      `url=http://127.0.0.1:${port}`,
      'use_path_request_style',
      `passwd_file=${join(own, 'password')}`,
    ];
    start('s3fs', ['bench', at, '-f', '-o', [...how, 'stat_cache_expire=1'].join(',')]);
  }
  for (const at of both) await until(() => isMounted(at), 'it does not mount');
  writeFileSync(join(both[0], 'file'), Buffer.alloc(SIZE, 'x'));
  return [join(both[0], 'file'), join(both[1], 'file')];
}

/** What clients of both mounts see. Each is a process of its own: calls of some never return when a server is slow. */
async function measure(one: string, other: string): Promise<Figures> {
  const seconds = Number(values.seconds);
  const rates = await client({ do: 'rates', file: one, seconds, size: SIZE });
  const shows = await client({ do: 'shows', file: one, other });
  const [first, second] = await Promise.all(
    [one, other].map((file, i) => client({ do: 'append', file, who: `${i}` })),
  );
  // Whatever is written back later is there by then.
  await sleep(3000);
  const counted = await client({ do: 'count', file: other, from: SIZE });
  const appended = (first?.appended ?? 0) + (second?.appended ?? 0);
  const locks = await client({ do: 'locks', file: one, other });
  return { ...rates, ...shows, ...locks, lost: appended - (counted.found ?? 0), appended };
}

async function client(order: Order): Promise<Figures> {
  const child = fork(join(import.meta.dirname, 'peer-client.ts'), {
    execArgv: ['--import', join(import.meta.dirname, '../../../test/support/typescript.mjs')],
  });
  const said = new Promise<Figures>((done) => child.once('message', (figures) => done(figures as Figures)));
  child.send(order);
  const figures = await Promise.race([said, sleep(LONG, {} as Figures, { ref: false })]);
  child.kill('SIGKILL');
  return figures;
}

function cellsOf(figures: Figures): string[] {
  const rate = (name: keyof Figures) => {
    const value = figures[name];
    return typeof value === 'number' ? String(Math.round(value)) : '-';
  };
  const rates = (['open', 'read4k', 'write4k', 'read1m', 'write1m', 'append', 'lock'] as const).map(rate);
  const { shows, lost, appended, holds } = figures;
  return [
    ...rates,
    shows === undefined ? '-' : `${shows < 10 ? shows.toFixed(1) : Math.round(shows)} ms`,
    appended === undefined ? '-' : `${lost} of ${appended}`,
    holds === undefined ? '-' : holds ? 'yes' : 'no',
  ];
}
