import { execFileSync, fork } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { mountAt } from '../../src/sys/mountinfo.ts';
import { traces } from '../faults/traces.ts';
import { calls } from '../support/calls/index.ts';
import { linksOfDescriptors } from '../support/descriptors.ts';
import { COMMAND, Mount } from '../support/mount.ts';
import { makeDir } from '../support/run.ts';
import { type End, Started } from '../support/started.ts';

/** Where the command runs: in a process that goes on as the daemon, or in one that starts it. */
const places = [
  ['foreground', ['--foreground']],
  ['background', []],
] as const;

/** Mounts by a shell script in which `"$@"` is the command, to be executed. */
async function mountBy(script: string, options: readonly string[] = []): Promise<Surrounded> {
  const command = [process.execPath, COMMAND, 'mount', makeDir('mount'), '--json', ...options];
  const started = new Started('bash', ['-c', script, 'bash', ...command]);
  await Promise.race([
    expect.poll(() => started.stdout).toContain('\n'),
    started.ended.then(({ stderr }) => {
      if (!started.stdout.includes('\n')) throw new Error(`The command failed: ${stderr}`);
    }),
  ]);
  const mounted = JSON.parse(started.stdout);
  if ('error' in mounted) throw new Error(`The command failed: ${mounted.error}`);
  return new Surrounded(mounted, started);
}

class Surrounded extends Mount {
  readonly started: Started;

  constructor(mounted: ConstructorParameters<typeof Mount>[0], started: Started) {
    super(mounted);
    this.started = started;
  }
}

function strings(pid: number, name: string): string[] {
  return readFileSync(`/proc/${pid}/${name}`, 'utf8').split('\0').slice(0, -1);
}

describe.each(places)('a daemon in the %s', (_, options) => {
  test('is given PATH, HOME, the language and the time zone, and no other variable', async () => {
    const dir = makeDir('environment');
    writeFileSync(`${dir}/evil.cjs`, `require('node:fs').appendFileSync('${dir}/evil', 'x')`);
    const given = { LC_TIME: 'C', TZ: 'UTC', XDG_RUNTIME_DIR: '/run/user/0', NOTIFY_SOCKET: '/none' };
    const others = {
      NODE_V8_COVERAGE: `${dir}/coverage`,
      NODE_EXTRA_CA_CERTS: '/dev/null',
      NODE_DEBUG: 'fs',
      LD_PRELOAD: 'libm.so.6',
      MALLOC_PERTURB_: '5',
      UV_THREADPOOL_SIZE: '1',
      RAMPROC_TEST: 'x',
    };
    const words = Object.entries({ ...given, ...others }).map(([name, value]) => `${name}=${value}`);
    // Node itself reads this one only when it starts.
    words.push(`NODE_OPTIONS='--max-old-space-size=300 --require=${dir}/evil.cjs'`);
    await using at = await mountBy(`exec env ${words.join(' ')} "$@"`, options);
    const found = Object.fromEntries(strings(at.pid, 'environ').map((one) => one.split(/=(.*)/s)));
    expect(found).toMatchObject({ ...given, PATH: process.env.PATH, HOME: process.env.HOME });
    const names = Object.keys(found).filter((name) => !(name in given) && !/^LANG|^LC_/.test(name));
    // Node's own channel to who started it, which Node takes out of `process.env`.
    expect(names.filter((name) => !name.startsWith('NODE_CHANNEL_')).toSorted()).toEqual([
      'HOME',
      'MALLOC_ARENA_MAX',
      'MALLOC_MMAP_THRESHOLD_',
      'PATH',
    ]);
    expect(readFileSync(`/proc/${at.pid}/maps`, 'utf8')).not.toContain('libm-');
    // Only the command itself ran it: a daemon in the background would have added to it.
    expect(readFileSync(`${dir}/evil`, 'utf8')).toBe('x');
  });

  test("is started with none of Node's flags but its own", async () => {
    const dir = makeDir('flags');
    writeFileSync(`${dir}/evil.cjs`, `require('node:fs').appendFileSync('${dir}/evil', 'x')`);
    const node = `${process.execPath} --require=${dir}/evil.cjs --inspect-port=127.0.0.1:9333`;
    await using at = await mountBy(`shift; exec ${node} "$@"`, options);
    expect(at.pid).toBeGreaterThan(1);
    expect(readFileSync(`${dir}/evil`, 'utf8')).toBe('x');
  });

  test('has the kernel answer as ever, whatever who started it blocks, ignores, masks, limits or has lost', async () => {
    const gone = makeDir('gone');
    const script = `
      cd ${gone}; rmdir ${gone}
      umask 0777
      ulimit -S -f 1; ulimit -S -c 0; ulimit -S -n 40; ulimit -S -s 4096
      exec nice -n 19 env --block-signal --ignore-signal "$@"`;
    for (const io of ['direct', 'cached', 'passthrough']) {
      await using at = await mountBy(script, ['--io', io, ...options]);
      expect(statSync(at.file)).toMatchObject({ mode: 0o100666, uid: 0, gid: 0, nlink: 1 });
      expect(statSync(at.dir).mode & 0o7777).toBe(0o555);
      writeFileSync(at.file, Buffer.alloc(3 << 20, 'x'));
      expect(readFileSync(at.file).equals(Buffer.alloc(3 << 20, 'x'))).toBe(true);
      expect(calls.truncate(at.file, 16 << 20)).toBe(0);
      const status = readFileSync(`/proc/${at.pid}/status`, 'utf8');
      // Node 22.14 and newer keeps SIGUSR1 blocked when it is told not to open the debugger.
      expect(status).toMatch(/^SigBlk:\t0+(200)?$/m);
      expect(readlinkSync(`/proc/${at.pid}/cwd`)).toBe('/');
      process.kill(at.pid, 'SIGTERM');
      await at.ended();
      expect(mountAt(at.dir)).toBeUndefined();
    }
  });

  test('finds what a relative path names, and says when the working directory is gone', async () => {
    const parent = makeDir('parent');
    mkdirSync(`${parent}/mnt`);
    writeFileSync(`${parent}/source`, 'abc');
    const words = ['mnt', '--json', '--from', 'source', '--log', 'log', '--record', 'record', ...options];
    const command = [process.execPath, COMMAND, 'mount', ...words];
    const started = new Started(command[0] ?? '', command.slice(1), { cwd: parent });
    await expect.poll(() => started.stdout).toContain('\n');
    await using at = new Mount(JSON.parse(started.stdout));
    expect(at.dir).toBe(`${parent}/mnt`);
    expect(readFileSync(at.file, 'utf8')).toBe('abc');
    expect(readdirSync(parent).toSorted()).toEqual(['log', 'mnt', 'record', 'source']);
    const lost = new Started('bash', ['-c', 'mkdir x; cd x; rmdir ../x; exec "$@"', 'bash', ...command], {
      cwd: parent,
    });
    expect(await lost.ended).toEqual({
      how: 32,
      stdout: expect.stringMatching(/^\{"error":.*"status":32/),
      stderr:
        'ramproc: Cannot find "log": the working directory is gone; change to another, or give an absolute path.\n',
    });
  });

  test('says at once which limits clients will feel', async () => {
    await using at = await mountBy('ulimit -f 1024; ulimit -t 3600; exec "$@"', options);
    expect(at.started.stderr).toBe(
      'ramproc: the file can\'t be longer than 1 MiB, the limit of who started it; raise "ulimit -f".\n' +
        'ramproc: the kernel will kill the daemon once it has used 3600 s of CPU time, the limit of who started it; raise "ulimit -t".\n',
    );
    expect(calls.truncate(at.file, (1 << 20) + 1)).toBe('EFBIG');
    expect(calls.truncate(at.file, 1 << 20)).toBe(0);
  });

  test('has nothing open that who started it had', async () => {
    await using at = await mountBy('exec 5< /etc/passwd 200> /dev/full "$@"', options);
    const open = linksOfDescriptors(at.pid);
    expect(open).not.toContain('/etc/passwd');
    expect(open).not.toContain('/dev/full');
  });
});

describe('started by a program over an IPC channel, as child_process.fork does', () => {
  function forked(...parameters: string[]): Promise<End> {
    const child = fork(COMMAND, parameters, { silent: true });
    let [stdout, stderr] = ['', ''];
    child.stdout?.setEncoding('utf8').on('data', (text) => {
      stdout += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text) => {
      stderr += text;
    });
    return new Promise((ended) =>
      child.once('close', (status, signal) => ended({ how: signal ?? status ?? 0, stdout, stderr })),
    );
  }

  test.each(places)('a mount in the %s that fails says why, and ends', async (_, options) => {
    const dir = `${makeDir('mount')}/nonexistent`;
    expect(await forked('mount', dir, ...options)).toEqual({
      how: 32,
      stdout: '',
      stderr: `ramproc: Cannot mount on "${dir}": there is no such directory; create it with "mkdir".\n`,
    });
  });

  test.each(places)('a mount in the %s is there, and stays until it is unmounted', async (where, options) => {
    const dir = makeDir('mount');
    const ended = forked('mount', dir, '--json', ...options);
    if (where === 'background') expect(await ended).toMatchObject({ how: 0, stderr: '' });
    await expect.poll(() => mountAt(dir)).toBeDefined();
    await expect.poll(() => calls.readdir(dir)).toEqual(['rust-proc-file']);
    execFileSync('fusermount3', ['-u', dir]);
    expect(await ended).toMatchObject({ how: 0, stderr: '', stdout: expect.stringContaining(dir) });
    await expect.poll(() => traces(dir)).toEqual({ mounted: [], running: [] });
  });
});
