import { closeSync, existsSync, openSync, readFileSync, renameSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { mountAt } from '../../src/sys/mountinfo.ts';
import { attempt } from '../../src/sys/processes.ts';
import { Random } from '../bytes/random.ts';
import { linksOfDescriptors } from '../support/descriptors.ts';
import { HANGS_AFTER } from '../support/hanging.ts';
import { readLog } from '../support/log.ts';
import { COMMAND, Mount, mount, runs } from '../support/mount.ts';
import { makeDir } from '../support/run.ts';
import { nextSeed } from '../support/seed.ts';
import { Started, startRamproc } from '../support/started.ts';

const { signals } = constants;

const random = new Random(nextSeed());

/** How often what depends on the moment is tried. */
const TRIES = Number(process.env.TRIES ?? 6);

/** The real-time ones too, which have no names, and the two that the C library keeps to itself. */
const all = Array.from({ length: 64 }, (_, i) => i + 1);

/** They can't be caught, or are what a fault of the process itself is. */
const fatal: readonly number[] = [
  ...[signals.SIGKILL, signals.SIGSTOP],
  ...[signals.SIGILL, signals.SIGTRAP, signals.SIGBUS, signals.SIGFPE, signals.SIGSEGV, signals.SIGSYS],
];

/** What ends a daemon in the background, and what ends a mount in the foreground besides. */
const ending: readonly number[] = [signals.SIGINT, signals.SIGTERM];
const hangup: readonly number[] = [signals.SIGHUP];

/** The sockets that a process has open. A debugger would be another one. */
function sockets(pid: number): readonly string[] {
  return linksOfDescriptors(pid).filter((to) => to.startsWith('socket:'));
}

function state(pid: number): string | undefined {
  return readFileSync(`/proc/${pid}/status`, 'utf8').match(/^State:\t(.)/m)?.[1];
}

/** Sends each, and looks at what the daemon is and does. */
async function expectNothingFrom(given: readonly number[], { pid, file }: Mount): Promise<void> {
  const before = sockets(pid);
  for (const signal of given) {
    process.kill(pid, signal);
    // It is served after the signal came: a request wakes a thread of the process, which takes the signal first.
    expect([signal, readFileSync(file, 'utf8')]).toEqual([signal, '']);
    expect([signal, state(pid)]).not.toEqual([signal, 'T']);
  }
  // Node before 22.14 has one for a moment at SIGUSR1, until it finds that it can't listen where it was told to.
  await expect.poll(() => sockets(pid).filter((to) => !before.includes(to))).toEqual([]);
}

const nothing = all.filter((signal) => ![...fatal, ...ending].includes(signal));

describe.each([
  ['direct', []],
  ['passthrough', ['--io', 'passthrough']],
  ['libfuse', ['--transport', 'libfuse']],
])('a daemon in the background, %s', (_, options) => {
  test('is what it was after each signal but SIGINT and SIGTERM', async () => {
    await using at = await mount(options);
    await expectNothingFrom(nothing, at);
    expect(runs(at.pid)).toBe(true);
  });
});

test.each(ending.map((signal) => [signal]))(
  'a daemon in the background ends by signal %d',
  async (signal) => {
    await using at = await mount();
    process.kill(at.pid, signal);
    await at.ended();
    expect(mountAt(at.dir)).toBeUndefined();
  },
);

describe('a mount in the foreground', () => {
  test('is what it was after each signal but SIGINT, SIGTERM and SIGHUP', async () => {
    const dir = makeDir('foreground');
    const started = startRamproc('mount', dir, '--foreground', '--json');
    await expect.poll(() => started.stdout).toContain('\n');
    const at = new Mount(JSON.parse(started.stdout));
    expect(at.pid).toBe(started.pid);
    await expectNothingFrom(
      nothing.filter((signal) => !hangup.includes(signal)),
      at,
    );
    started.kill('SIGHUP');
    expect((await started.ended).how).toBe('SIGHUP');
  });
});

/** A process, and those that it started. */
function family(pid: number): number[] {
  const children = attempt(() => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')) ?? '';
  return [pid, ...children.split(' ').map(Number).filter(Boolean)];
}

test.each([
  ['background', []],
  ['foreground', ['--foreground']],
])(
  'SIGUSR1 opens no debugger at any moment while a mount in the %s starts',
  {
    timeout: TRIES * HANGS_AFTER,
  },
  async (_, options) => {
    for (let i = 0; i < TRIES; i++) {
      const log = `${makeDir('log')}/log`;
      // As a shell starts it: by its first line.
      const started = new Started(COMMAND, ['mount', makeDir('mount'), '--json', '--log', log, ...options]);
      await sleep(random.below(400));
      for (const pid of family(started.pid)) attempt(() => process.kill(pid, 'SIGUSR1'));
      await Promise.race([started.ended, expect.poll(() => started.stdout).toContain('\n')]);
      const said = started.stderr + (attempt(() => readFileSync(log, 'utf8')) ?? '');
      expect(said).not.toContain('Debugger');
      // Else it was ended by the signal, before Node was up.
      if (!started.stdout.includes('\n')) continue;
      const mounted = JSON.parse(started.stdout);
      // Or the daemon was, before it was up.
      if ('error' in mounted) continue;
      await using at = new Mount(mounted);
      expect(readFileSync(at.file, 'utf8')).toBe('');
    }
  },
);

describe('SIGHUP', () => {
  test.each([['background'], ['foreground']])(
    'has a mount in the %s with --log begin a new one',
    async (where) => {
      const dir = makeDir('mount');
      const log = `${makeDir('log')}/log`;
      const options = where === 'foreground' ? ['--foreground'] : [];
      const started = startRamproc('mount', dir, '--json', '--log', log, ...options);
      await expect.poll(() => started.stdout).toContain('\n');
      await using at = new Mount(JSON.parse(started.stdout));
      renameSync(log, `${log}.1`);
      process.kill(at.pid, 'SIGHUP');
      await expect.poll(() => existsSync(log)).toBe(true);
      process.kill(at.pid, 'SIGTERM');
      await at.ended();
      expect(readLog(log)).toBe(`ramproc: SIGTERM, unmounting "${dir}"\n`);
      expect(readFileSync(`${log}.1`, 'utf8')).toBe('');
      expect(await started.ended).toMatchObject({ stderr: '' });
    },
  );

  test('says in the old log when the new one would lie in the mount itself, which would wait for itself', async () => {
    const dir = makeDir('mount');
    const log = `${dir}/rust-proc-file`;
    // The old one is below the mount, and seen by nobody else.
    const old = openSync(log, 'a+');
    await using at = await mount(['-o', 'nonempty', '--log', log], dir);
    process.kill(at.pid, 'SIGHUP');
    await expect
      .poll(() => readLog(`/proc/self/fd/${old}`))
      .toBe(
        `ramproc: Cannot append messages to "${log}": its way leads through "${dir}", which the same process would serve. The log goes on in the old file.\n`,
      );
    closeSync(old);
    expect(readFileSync(at.file, 'utf8')).toBe('');
  });

  test('says in the old log when there can be no new one', async () => {
    const log = `${makeDir('log')}/log`;
    await using at = await mount(['--log', log]);
    renameSync(dirname(log), `${dirname(log)}-moved`);
    process.kill(at.pid, 'SIGHUP');
    await expect
      .poll(() => readLog(`${dirname(log)}-moved/log`))
      .toMatch(/^ramproc: Cannot append messages to ".*": ENOENT, .* The log goes on in the old file\.\n$/);
  });
});
