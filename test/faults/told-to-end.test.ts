import { chownSync, closeSync, openSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { Random } from '../bytes/random.ts';
import { openDeviceToAll } from '../support/device.ts';
import { HANGS_AFTER } from '../support/hanging.ts';
import { COMMAND, Mount, mount, ramproc, run } from '../support/mount.ts';
import { NOBODY } from '../support/nobody.ts';
import { makeDir } from '../support/run.ts';
import { nextSeed } from '../support/seed.ts';
import { type End, Started, startRamproc } from '../support/started.ts';
import { traces } from './traces.ts';

/** How often each is tried: TRIES=200 for what a change here should hold. */
const TRIES = Number(process.env.TRIES ?? 6);

const signals = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;
const signalOf = (turn: number) => signals[turn % signals.length] ?? 'SIGTERM';
const random = new Random(nextSeed());
const nothing = { mounted: [], running: [] };

/** How long a mount takes, in milliseconds, to choose moments from. */
let start = 0;

beforeAll(async () => {
  const began = performance.now();
  await using _mount = await mount();
  start = Math.ceil(performance.now() - began);
});

/** Sends a signal at a random moment of a program's first `during` milliseconds. */
async function tellAtRandom(started: Started, signal: NodeJS.Signals, during: number): Promise<End> {
  await sleep(random.below(during));
  try {
    started.kill(signal);
  } catch {
    // It has ended by itself.
  }
  return started.ended;
}

/** Waits until a mount in the foreground says that it is there. */
async function mounted(started: Started): Promise<void> {
  const early = started.ended.then(({ stderr }) => {
    throw new Error(`The command ended: ${stderr}`);
  });
  await Promise.race([expect.poll(() => started.stdout).toContain('\n'), early]);
  early.catch(() => {});
}

describe.each(['kernel', 'libfuse'])('told to end at any moment, over %s', (transport) => {
  const options = ['--transport', transport, '--json'];

  test('"ramproc mount" has mounted, or ends by the signal and leaves nothing', {
    timeout: TRIES * HANGS_AFTER,
  }, async () => {
    for (let i = 0; i < TRIES; i++) {
      const signal = signalOf(i);
      const dir = makeDir('told');
      const { how, stdout, stderr } = await tellAtRandom(
        startRamproc('mount', dir, ...options),
        signal,
        2 * start,
      );
      expect(stderr).toBe('');
      if (how !== 0) {
        expect([how, stdout, traces(dir)]).toEqual([signal, '', nothing]);
        continue;
      }
      await using at = new Mount(JSON.parse(stdout));
      expect(readFileSync(at.file, 'utf8')).toBe('');
    }
  });

  test('a mount in the foreground ends by the signal and leaves nothing', {
    timeout: TRIES * HANGS_AFTER,
  }, async () => {
    for (let i = 0; i < TRIES; i++) {
      const signal = signalOf(i);
      const dir = makeDir('told');
      const started = startRamproc('mount', dir, '--foreground', ...options);
      const { how, stderr } = await tellAtRandom(started, signal, 2 * start);
      expect([how, traces(dir)]).toEqual([signal, nothing]);
      expect(['', `ramproc: ${signal}, unmounting "${dir}"\n`]).toContain(stderr);
    }
  });
});

test('a daemon whose command is killed while it starts ends too, or serves what it had mounted', {
  timeout: TRIES * HANGS_AFTER,
}, async () => {
  for (let i = 0; i < TRIES; i++) {
    const dir = makeDir('killed');
    await tellAtRandom(startRamproc('mount', dir), 'SIGKILL', start);
    // Once it has taken the mount over, the daemon serves it like any other.
    const left = async () => {
      if (await served(dir)) await ramproc('unmount', dir);
      return traces(dir);
    };
    await expect.poll(left).toEqual(nothing);
  }
});

/** Asked by another process: a mount that is about to go may not answer. */
async function served(dir: string): Promise<boolean> {
  return (await run('timeout', '5', 'cat', `${dir}/rust-proc-file`)).status === 0;
}

describe('a daemon that is told to end when it can not unmount', () => {
  test('ends all the same when it is detached already, and somebody still reads', async () => {
    const dir = makeDir('detached');
    const started = startRamproc('mount', dir, '--foreground');
    await mounted(started);
    const fd = openSync(`${dir}/rust-proc-file`, 'r');
    try {
      expect((await ramproc('unmount', '--lazy', dir)).status).toBe(0);
      started.kill('SIGTERM');
      started.kill('SIGTERM');
      expect(await started.ended).toMatchObject({
        how: 'SIGTERM',
        stderr: `ramproc: SIGTERM, unmounting "${dir}"\n`,
      });
      expect(traces(dir)).toEqual(nothing);
    } finally {
      closeSync(fd);
    }
  });

  test('ends when fusermount3 refuses, says so, and the next mount takes its place', async () => {
    using _device = openDeviceToAll();
    const [dir, bin] = [makeDir('refused'), makeDir('bin')];
    chownSync(dir, NOBODY, NOBODY);
    symlinkSync('/usr/bin/fusermount3', `${bin}/fusermount3`);
    const user = ['--reuid', `${NOBODY}`, '--regid', `${NOBODY}`, '--clear-groups'];
    const command = [process.execPath, COMMAND, 'mount', dir, '--foreground'];
    const started = new Started('setpriv', [...user, 'env', `PATH=${bin}`, ...command]);
    await mounted(started);
    rmSync(`${bin}/fusermount3`);
    started.kill('SIGINT');
    const { how, stderr } = await started.ended;
    expect(how).toBe('SIGINT');
    expect(stderr).toMatch(
      /^ramproc: SIGINT, unmounting ".*"\nramproc: Cannot unmount ".*": fusermount3 is missing; .*\n$/,
    );
    expect(traces(dir)).toMatchObject({ mounted: [{ dir }], running: [] });
    const again = await run('setpriv', ...user, process.execPath, COMMAND, 'mount', dir, '--json');
    expect(again).toMatchObject({ status: 0, stderr: expect.stringContaining('replacing it') });
    await using _mount = new Mount(JSON.parse(again.stdout));
  });
});

test('the first process of a container ends when it is told to, with the status of a signal', async () => {
  const dir = makeDir('container');
  const started = new Started('unshare', [
    ...['--pid', '--fork', '--kill-child', process.execPath],
    ...[COMMAND, 'mount', dir, '--foreground', '--json'],
  ]);
  await mounted(started);
  expect(JSON.parse(started.stdout)).toMatchObject({ dir, pid: 1 });
  const { stdout: pid } = await run('pgrep', '-P', `${started.pid}`);
  process.kill(Number(pid), 'SIGTERM');
  expect((await started.ended).how).toBe(128 + 15);
  expect(traces(dir)).toEqual(nothing);
});

describe.each([
  ['background', []],
  ['foreground', ['--foreground']],
])('Ctrl-C in the %s while --from fills the file', (_, options) => {
  const HIDE = '\u001b[?25l';
  const SHOW = '\u001b[?25h';

  test.each([1, 3])('leaves the cursor shown, pressed %d times', async (times) => {
    const dir = makeDir('filling');
    // script(1) gives it a terminal, and hands on what is typed; its source never ends.
    const fill = `while head -c 1M /dev/zero; do sleep 0.05; done`;
    const command = `${fill} | exec ${process.execPath} ${COMMAND} mount ${dir} --from - ${options.join(' ')}`;
    const started = new Started('script', ['-qfec', `bash -c '${command}'`, '/dev/null']);
    await expect.poll(() => started.stdout).toContain('filling');
    for (let i = 0; i < times; i++) started.stdin?.write('\u0003');
    await started.ended;
    expect(started.stdout.lastIndexOf(HIDE)).toBeLessThanOrEqual(started.stdout.lastIndexOf(SHOW));
    expect(started.stdout).not.toMatch(/Error| {4}at /);
    expect(traces(dir)).toEqual(nothing);
  });

  test('ends by it', async () => {
    const dir = makeDir('filling');
    const started = startRamproc('mount', dir, '--from', '-', ...options);
    started.stdin?.write('abc');
    await sleep(start);
    started.kill('SIGINT');
    expect(await started.ended).toEqual({ how: 'SIGINT', stdout: '', stderr: '' });
    expect(traces(dir)).toEqual(nothing);
  });
});
