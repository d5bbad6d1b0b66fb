import { type ChildProcess, spawn } from 'node:child_process';
import {
  closeSync,
  constants,
  fstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { Daemon } from '../../src/daemon/control/client.ts';
import { NoAnswer } from '../../src/daemon/control/exchange.ts';
import { MAX_LINE, namePrefix, PROTOCOL } from '../../src/daemon/control/messages.ts';
import { manifest } from '../../src/sys/manifest.ts';
import { umount2 } from '../../src/sys/mount.ts';
import { type MountInfo, mountAt } from '../../src/sys/mountinfo.ts';
import { namesListenedOn } from '../../src/sys/network.ts';
import { must } from '../support/answer.ts';
import { calls } from '../support/calls/index.ts';
import { Client } from '../support/client.ts';
import { linksOfDescriptors } from '../support/descriptors.ts';
import { COMMAND, type Mount, mount, ramproc, run, runs } from '../support/mount.ts';
import { mountAsNobody, NOBODY, ramprocAsNobody, runAsNobody } from '../support/nobody.ts';
import { openBacking } from '../support/page-references.ts';
import { RawClient, sendRaw } from '../support/raw-client.ts';
import { compiled, makeDir } from '../support/run.ts';
import { aloneWith } from '../support/shell.ts';

const MIB = 1 << 20;
const { O_RDWR } = constants;

/** How long a daemon may keep silent that is known to be stopped, in milliseconds. */
const SHORT = 200;

const transports = ['kernel', 'libfuse'];

const kinds: [kind: string, options: string[], about: object][] = [
  ['direct', [], { transport: 'kernel', channel: 'device', io: 'direct', secret: false }],
  ['cached', ['--io', 'cached'], { transport: 'kernel', channel: 'device', io: 'cached', secret: false }],
  [
    'passthrough',
    ['--io', 'passthrough'],
    { transport: 'kernel', channel: 'device', io: 'passthrough', secret: false },
  ],
  ['secret', ['--secret'], { transport: 'kernel', channel: 'device', io: 'direct', secret: true }],
  ['libfuse', ['--transport', 'libfuse'], { transport: 'libfuse', io: 'direct', secret: false }],
];

function info({ dir }: { dir: string }): MountInfo {
  const found = mountAt(dir);
  if (found === undefined) throw new Error(`Nothing is mounted on ${dir}.`);
  return found;
}

/** The names that daemons, or others, listen on for a mount. */
function names(at: { dir: string }): string[] {
  return namesListenedOn('self', namePrefix(info(at).device));
}

/** The one that its daemon listens on: who served an earlier mount of the same number may be about to end. */
function nameOf(at: Mount): string {
  const open = new Set(linksOfDescriptors(at.pid));
  const inodeOf = new Map(
    readFileSync('/proc/net/unix', 'latin1')
      .split('\n')
      .map((line) => line.split(/\s+/))
      .map(([, , , , , , inode, path = '']) => [path.slice(1), inode]),
  );
  const name = names(at).find((one) => open.has(`socket:[${inodeOf.get(one)}]`));
  if (name === undefined) throw new Error(`Nobody listens for ${at.dir}.`);
  return name;
}

/** A question as a line, with more fields or others. */
function question(at: { dir: string }, question: string, more: object = {}): string {
  return `${JSON.stringify({ protocol: PROTOCOL, question, mount: info(at).device, ...more })}\n`;
}

/** What another process says to a daemon: the program and parameters in front of `send NAME TEXT`. */
const raw = () => compiled(join(import.meta.dirname, '../support/raw-client-process.ts'));

/** Somebody who listens on a name, and answers everybody with a line. */
async function listener(uid: number, name: string, text: string): Promise<ChildProcess & Disposable> {
  const as = ['--reuid', `${uid}`, '--regid', `${uid}`, '--clear-groups'];
  const child = spawn('setpriv', [...as, process.execPath, raw(), 'listen', name], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin.end(`${text}\n`);
  await new Promise((ready) => child.stdout.once('data', ready));
  return Object.assign(child, { [Symbol.dispose]: () => void child.kill('SIGKILL') });
}

/** Stops each thread of a process. Disposing lets them go on. */
async function stop(pid: number): Promise<Disposable> {
  process.kill(pid, 'SIGSTOP');
  const states = () =>
    readdirSync(`/proc/${pid}/task`).map((thread) =>
      readFileSync(`/proc/${pid}/task/${thread}/status`, 'utf8')
        .match(/^State:\t./m)
        ?.at(0),
    );
  await expect.poll(() => new Set(states())).toEqual(new Set(['State:\tT']));
  return { [Symbol.dispose]: () => void process.kill(pid, 'SIGCONT') };
}

async function noAnswer(promise: Promise<unknown>): Promise<{ kind: string; message: string }> {
  const error = await promise.then(
    () => new Error('There was an answer.'),
    (error: unknown) => error,
  );
  if (!(error instanceof NoAnswer)) throw error;
  return { kind: error.kind, message: error.message };
}

describe.each(kinds)('a daemon, %s,', (_, options, about) => {
  test('says who it is, and gives its name back at its end', async () => {
    const before = Date.now();
    const at = await mount([...options, '--max-size', '2M']);
    const { device } = info(at);
    const name = nameOf(at);
    const { hello } = await Daemon.of(info(at));
    expect(hello).toEqual({
      version: manifest().version,
      pid: at.pid,
      // No other directory beside a secret.
      joinable: !('secret' in about && about.secret),
      mounts: [
        { ...about, device, dir: at.dir, maxSize: 2 * MIB, connected: true, since: expect.any(String) },
      ],
    });
    const since = Date.parse(hello.mounts[0]?.since ?? '');
    expect(since).toBeGreaterThanOrEqual(before);
    expect(since).toBeLessThanOrEqual(Date.now());
    expect((await ramproc('unmount', at.dir)).stderr).toBe('');
    await at.ended();
    // The number may be another mount's by now.
    expect(namesListenedOn('self', namePrefix(device))).not.toContain(name);
  });

  test('takes the data when it is told to, and is still there', async () => {
    await using at = await mount(options);
    const fd = must(calls.open(at.file, O_RDWR));
    expect(calls.pwrite(fd, Buffer.from('data'), 0)).toBe(4);
    expect(await sendRaw(nameOf(at), question(at, 'teardown'))).toContainEqual({
      protocol: PROTOCOL,
      answer: { taken: true },
    });
    // With passthrough the kernel no longer asks.
    expect(calls.pread(fd, 4, 0)).toEqual(about === kinds[2]?.[2] ? Buffer.alloc(0) : 'EBUSY');
    await expect.poll(() => calls.open(at.file, O_RDWR)).toBe('ENOENT');
    calls.close(fd);
    // It is no mistake to ask again.
    expect(await (await Daemon.of(info(at))).ask('teardown', {})).toEqual({ taken: true });
    expect(runs(at.pid)).toBe(true);
  });

  test('that is killed leaves nothing', async () => {
    const at = await mount(options);
    const mounted = info(at);
    process.kill(at.pid, 'SIGKILL');
    await at.ended();
    // Its threads end one after the other.
    await expect.poll(() => names(at)).toEqual([]);
    expect(await noAnswer(Daemon.of(mounted))).toEqual({
      kind: 'none',
      message: 'no process answers for it',
    });
    expect((await ramproc('unmount', '--force', at.dir)).status).toBe(0);
  });
});

describe.each(transports)('a daemon over %s that is stopped', (transport) => {
  test('is said to be, after a time limit', async () => {
    await using at = await mount(['--transport', transport]);
    const daemon = await Daemon.of(info(at), SHORT * 10);
    const stopped = await stop(at.pid);
    const silent = {
      kind: 'silent',
      message: `its daemon is stopped; "kill -CONT ${at.pid}" lets it go on`,
    };
    expect(await noAnswer(Daemon.of(info(at), SHORT))).toEqual(silent);
    expect(await noAnswer(daemon.ask('teardown', {}))).toEqual(silent);
    stopped[Symbol.dispose]();
    // What was asked meanwhile is answered to nobody.
    expect((await Daemon.of(info(at))).hello.pid).toBe(at.pid);
  });

  test('does not keep a mount from being unmounted, and its end is not waited for', async () => {
    await using at = await mount(['--transport', transport]);
    using _stopped = await stop(at.pid);
    const { status, stderr } = await ramproc('unmount', at.dir);
    expect({ status, stderr }).toEqual({ status: 0, stderr: expect.stringMatching(/ is stopped/) });
    expect(mountAt(at.dir)).toBeUndefined();
  });

  test('does not keep --force from freeing who waits for it', async () => {
    await using client = await Client.start();
    await using at = await mount(['--transport', transport]);
    const fd = must(await client.sys.open(at.file, O_RDWR));
    using _stopped = await stop(at.pid);
    const waiting = client.sys.pread(fd, 1, 0);
    const { status, stderr } = await ramproc('unmount', '--force', at.dir);
    expect({ status, stderr }).toEqual({
      status: 0,
      stderr: expect.stringMatching(/did not take the data \(its daemon is stopped;.*\); cutting it off\.\n/),
    });
    expect(['ECONNABORTED', 'ENOTCONN']).toContain(await waiting);
    expect(await client.sys.pread(fd, 1, 0)).toBe('ENOTCONN');
  });
});

describe('a daemon of an ordinary user that is stopped', () => {
  test('does not keep --force from detaching its mount', async () => {
    await using at = await mountAsNobody();
    using _stopped = await stop(at.pid);
    const { status, stderr } = await ramprocAsNobody('unmount', '--force', at.dir);
    expect({ status, stderr }).toEqual({ status: 0, stderr: expect.stringMatching(/did not take the data/) });
    expect(mountAt(at.dir)).toBeUndefined();
  });

  test('does not keep --force from freeing who waits for it, where the control file system is mounted', async () => {
    await using client = await Client.start(NOBODY);
    await using at = await mountAsNobody();
    const fd = must(await client.sys.open(at.file, O_RDWR));
    using _stopped = await stop(at.pid);
    const waiting = client.sys.pread(fd, 1, 0);
    const mountControl = 'mount -t fusectl none /sys/fs/fuse/connections 2>/dev/null';
    const asNobody = `exec setpriv --reuid ${NOBODY} --regid ${NOBODY} --clear-groups "$@"`;
    const script = aloneWith(at, `${mountControl}; ${asNobody}`);
    const command = [process.execPath, COMMAND, 'unmount', '--force', at.dir];
    expect((await run('unshare', '-m', 'sh', '-c', script, 'sh', ...command)).status).toBe(0);
    expect(['ECONNABORTED', 'ENOTCONN']).toContain(await waiting);
    await client.sys.close(fd);
  });
});

describe.each(transports)('over %s, another user', (transport) => {
  test('is not answered, even where the mount is for all', async () => {
    await using at = await mount(['--transport', transport, '--allow-other']);
    writeFileSync(at.file, 'data');
    for (const text of [question(at, 'hello'), question(at, 'teardown'), 'x'.repeat(100)]) {
      const { stdout } = await runAsNobody(process.execPath, raw(), 'send', nameOf(at), text.trim());
      expect(JSON.parse(stdout)).toEqual([
        { protocol: PROTOCOL, error: 'only user 0 and root may ask its daemon' },
      ]);
    }
    expect(readFileSync(at.file, 'utf8')).toBe('data');
  });

  test('owns a mount that root may ask about', async () => {
    await using at = await mountAsNobody(['--transport', transport]);
    const { hello } = await Daemon.of(info(at));
    expect(hello.pid).toBe(at.pid);
    expect((await ramproc('unmount', '--force', at.dir)).stderr).toBe('');
  });

  test('is not taken for the daemon', async () => {
    await using at = await mount(['--transport', transport]);
    const mounted = info(at);
    const hello = JSON.stringify({
      protocol: PROTOCOL,
      answer: { version: '9', pid: 1, mounts: [{ device: mounted.device, connected: true }] },
    });
    using impostor = await listener(NOBODY, `${namePrefix(mounted.device)}0000`, hello);
    await expect.poll(() => names(at)).toHaveLength(2);
    expect((await Daemon.of(mounted)).hello.pid).toBe(at.pid);
    process.kill(at.pid, 'SIGKILL');
    await expect.poll(() => names(at)).toHaveLength(1);
    expect(await noAnswer(Daemon.of(mounted))).toEqual({
      kind: 'none',
      message: `process ${impostor.pid} of user ${NOBODY} poses as its daemon`,
    });
    // Root's would be believed.
    using _root = await listener(0, `${namePrefix(mounted.device)}0001`, hello);
    expect((await Daemon.of(mounted)).hello.version).toBe('9');
  });
});

describe('a network namespace of its own', () => {
  test('does not keep root from asking, whichever of the two is in it', async () => {
    const own = readlinkSync('/proc/self/ns/net');
    for (const [command, daemon] of [
      [['unshare', '-n'], []],
      [[], ['unshare', '-n']],
    ] as const) {
      const dir = makeDir('network');
      const [program = '', ...parameters] = [...daemon, process.execPath, COMMAND, 'mount', dir, '--json'];
      const { stdout, stderr } = await run(program, ...parameters);
      expect(stderr).toBe('');
      const { pid, file } = JSON.parse(stdout);
      if (daemon.length > 0) {
        await expect.poll(() => names({ dir })).toEqual([]);
        expect((await Daemon.of(info({ dir }))).hello.pid).toBe(pid);
        expect(readlinkSync('/proc/thread-self/ns/net')).toBe(own);
      }
      const fd = must(calls.open(file, O_RDWR));
      const [unmount = '', ...rest] = [...command, process.execPath, COMMAND, 'unmount', '--force', dir];
      expect(await run(unmount, ...rest)).toEqual({ status: 0, stdout: '', stderr: '' });
      expect(calls.pread(fd, 1, 0)).toBe('EBUSY');
      calls.close(fd);
      await expect.poll(() => runs(pid)).toBe(false);
    }
  });

  test('is told to a user who may not enter it, with the way in; what needs no answer is done', async () => {
    // Of a secret's process he can't see either when it ends.
    await using at = await mountAsNobody(['--secret']);
    const as = ['setpriv', '--reuid', `${NOBODY}`, '--regid', `${NOBODY}`, '--clear-groups'];
    const { status, stderr } = await run(
      'unshare',
      '-n',
      ...as,
      process.execPath,
      COMMAND,
      'unmount',
      at.dir,
    );
    expect(status).toBe(0);
    expect(stderr).toMatch(
      /is unmounted, but .*: its daemon listens in another network namespace, which root may enter with "nsenter --net=\/proc\/\d+\/ns\/net"\.\n$/,
    );
    expect(mountAt(at.dir)).toBeUndefined();
  });
});

describe('what is no question', () => {
  test('is answered with a sentence, and the daemon goes on', async () => {
    await using at = await mount();
    const name = nameOf(at);
    for (const [bytes, error] of [
      ['garbage\n', '"garbage" is no message of ramproc\'s'],
      ['\n', '"" is no message of ramproc\'s'],
      ['[1,2]\n', '"[1,2]" is no message of ramproc\'s'],
      ['{"question":"hello"}\n', expect.stringMatching(/is no message of ramproc's$/)],
      ['{"protocol":1}\n', expect.stringContaining('does not know the question "undefined"')],
      [question(at, '__proto__'), expect.stringContaining('does not know the question "__proto__"')],
      [question(at, 'teardown', { mount: '0:0' }), 'its daemon has no mount "0:0"'],
      [question(at, 'teardown', { mount: { x: 1 } }), expect.stringMatching(/^its daemon has no mount /)],
      ['x'.repeat(MAX_LINE + 1), `a message has more than ${MAX_LINE} characters`],
      [`${'x'.repeat(4 * MAX_LINE)}\n`, `a message has more than ${MAX_LINE} characters`],
      [Buffer.alloc(2 * MIB, 0xff), `a message has more than ${MAX_LINE} characters`],
    ] as const) {
      expect(await sendRaw(name, bytes)).toEqual([{ protocol: PROTOCOL, error }]);
    }
    // What follows a question isn't read as another.
    const twice = await sendRaw(name, question(at, 'hello').repeat(2));
    expect(twice).toHaveLength(1);
    expect((await Daemon.of(info(at))).hello.pid).toBe(at.pid);
    expect(statSync(at.file).isFile()).toBe(true);
  });
});

describe('another version', () => {
  test('of the command is answered what the daemon knows, and told why not the rest', async () => {
    await using at = await mount();
    const name = nameOf(at);
    const newer = { protocol: PROTOCOL + 1, since: 'then', lazy: { no: 'boolean' } };
    expect(await sendRaw(name, question(at, 'hello', newer))).toEqual([
      { protocol: PROTOCOL, answer: expect.objectContaining({ pid: at.pid }) },
    ]);
    expect(await sendRaw(name, question(at, 'divine', newer))).toEqual([
      {
        protocol: PROTOCOL,
        error:
          'its daemon is of an older version and does not know the question "divine"; mount it again with this one',
      },
    ]);
    expect(await sendRaw(name, question(at, 'divine', { protocol: 0 }))).toEqual([
      {
        protocol: PROTOCOL,
        error: 'its daemon does not know the question "divine"; use the version of ramproc that mounted it',
      },
    ]);
  });

  test('of the daemon is understood as far as it can be', async () => {
    await using at = await mount();
    const mounted = info(at);
    process.kill(at.pid, 'SIGKILL');
    await expect.poll(() => names(at)).toEqual([]);
    const answering = async (text: string) => {
      using _daemon = await listener(0, `${namePrefix(mounted.device)}0`, text);
      return await Daemon.of(mounted).then(
        ({ hello }) => hello,
        (error: unknown) => error,
      );
    };
    const hello = {
      version: '2',
      color: 'blue',
      mounts: [{ device: mounted.device, connected: true, size: {} }],
    };
    expect(await answering(JSON.stringify({ protocol: 2, answer: hello, shape: 'round' }))).toEqual(hello);
    expect(await answering(JSON.stringify({ protocol: 2, error: 'why not' }))).toMatchObject({
      kind: 'refused',
      message: 'why not',
    });
    expect(await answering('{"protocol":2,"answer":{"mounts":"many"}}')).toMatchObject({ kind: 'none' });
    expect(await answering('HTTP/1.1 200 OK')).toMatchObject({
      kind: 'refused',
      message:
        'its daemon says what this version does not know: "HTTP/1.1 200 OK" is no message of ramproc\'s',
    });
    expect(await answering('x'.repeat(2 * MAX_LINE))).toMatchObject({ kind: 'refused' });
    expect(await answering(JSON.stringify({ protocol: 2, progress: 1 }))).toMatchObject({ kind: 'gone' });
  });
});

describe('many clients', () => {
  test('are answered, a hundred at once', async () => {
    await using at = await mount();
    const asked = await Promise.all(Array.from({ length: 100 }, () => Daemon.of(info(at), 30_000)));
    expect(asked.map(({ hello }) => hello.pid)).toEqual(Array.from({ length: 100 }, () => at.pid));
  });

  test('that neither ask nor read keep nobody waiting, nor the daemon from its end', async () => {
    await using at = await mount();
    const idle = Array.from({ length: 50 }, () => new RawClient(nameOf(at)));
    const silent = Array.from({ length: 50 }, () => new RawClient(nameOf(at)));
    for (const client of silent) client.send(question(at, 'hello'));
    for (const client of silent) client.send(Buffer.alloc(MIB));
    expect((await Daemon.of(info(at))).hello.pid).toBe(at.pid);
    expect((await ramproc('unmount', at.dir)).stderr).toBe('');
    await at.ended();
    for (const client of [...idle, ...silent]) client[Symbol.dispose]();
  });

  test('wait while the daemon has no descriptor for them, without costing it a core', async () => {
    await using at = await mount();
    const limit = (n: string) => run('prlimit', '--pid', `${at.pid}`, `--nofile=${n}:`);
    const spent = () =>
      readFileSync(`/proc/${at.pid}/stat`, 'utf8')
        .replace(/^.*\) /s, '')
        .split(' ')
        .slice(11, 13)
        .map(Number)
        .reduce((a, b) => a + b);
    await limit('3');
    const asked = sendRaw(nameOf(at), question(at, 'hello'));
    const before = spent();
    await sleep(1000);
    // In hundredths of a second.
    expect(spent() - before).toBeLessThan(50);
    await limit('1024');
    expect(await asked).toHaveLength(1);
  });
});

describe('unmounting', () => {
  test.each([['direct'], ['passthrough'], ['cached']])(
    '%s waits until the memory is given back',
    async (io) => {
      const at = await mount(['--io', io]);
      const fd = must(calls.open(at.file, O_RDWR));
      for (let offset = 0; offset < 64 * MIB; offset += MIB) calls.pwrite(fd, Buffer.alloc(MIB, 'x'), offset);
      calls.close(fd);
      const backing = openBacking(at.pid);
      expect(fstatSync(backing).blocks).toBe((64 * MIB) / 512);
      expect(await ramproc('unmount', at.dir)).toEqual({ status: 0, stdout: '', stderr: '' });
      expect(fstatSync(backing).blocks).toBe(0);
      closeSync(backing);
      await at.ended();
    },
  );

  test.each(transports)('over %s is told apart from a mount that lives on elsewhere', async (transport) => {
    for (const secret of transport === 'kernel' ? [false, true] : [false]) {
      await using at = await mount(['--transport', transport, ...(secret ? ['--secret'] : [])]);
      const daemon = await Daemon.of(info(at));
      writeFileSync(at.file, 'data');
      const holder = spawn('unshare', ['-m', 'sh', '-c', aloneWith(at, 'exec sleep 60')], {
        stdio: 'ignore',
      });
      const there = (...command: string[]) => run('nsenter', '-m', '-t', `${holder.pid}`, ...command);
      const namespace = (pid: number | undefined | 'self') => readlinkSync(`/proc/${pid}/ns/mnt`);
      await expect.poll(() => namespace(holder.pid)).not.toBe(namespace('self'));
      umount2(at.dir, 0);
      expect(await daemon.ask('unmounted', { lazy: true, wait: true })).toEqual({ elsewhere: true });
      expect((await there('cat', at.file)).stdout).toBe('data');
      // Who took the secret away here, took it away there too.
      expect(await daemon.ask('unmounted', { lazy: false, wait: true })).toEqual({ elsewhere: true });
      expect((await there('cat', at.file)).stdout).toBe(secret ? '' : 'data');
      expect((await there('umount', at.dir)).stderr).toBe('');
      expect(await daemon.ask('unmounted', { lazy: false, wait: true }).catch(({ kind }) => kind)).toEqual(
        expect.toSatisfy((answer) => answer === 'gone' || answer.elsewhere === false),
      );
      holder.kill('SIGKILL');
      await at.ended();
    }
  });

  test('is a matter of who uses it: nothing is lost when it is busy', async () => {
    await using at = await mount();
    writeFileSync(at.file, 'data');
    const fd = must(calls.open(at.file, O_RDWR));
    expect((await ramproc('unmount', at.dir)).stderr).toMatch(/it is in use by process/);
    expect(calls.pread(fd, 4, 0)).toEqual(Buffer.from('data'));
    calls.close(fd);
  });
});
