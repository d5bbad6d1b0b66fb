import { closeSync, existsSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { calls } from '../support/calls/index.ts';
import { linksOfDescriptors } from '../support/descriptors.ts';
import { until } from '../support/hanging.ts';
import { type Mount, mount, ramproc, run } from '../support/mount.ts';
import { mountAsNobody, ramprocAsNobody } from '../support/nobody.ts';
import { makeDir } from '../support/run.ts';
import { bash, shellDir } from '../support/shell.ts';
import { type Started, startRamproc, startRamprocAsNobody } from '../support/started.ts';

/** How long a daemon may keep silent before who asked gives up, and a moment more, in milliseconds. */
const PATIENCE = 6000;

/** A trace that has begun. */
async function trace(
  { dir }: Pick<Mount, 'dir'>,
  options: readonly string[] = [],
  start = startRamproc,
): Promise<Started> {
  const started = start('trace', dir, ...options);
  const words = `ramproc: Tracing "${dir}"; Ctrl-C ends it, the mount stays.\n`;
  await until(() => started.stderr.includes('\n'), 'The trace does not begin.');
  expect(started.stderr).toBe(words);
  return started;
}

/** Ends it as Ctrl-C does. */
async function end(started: Started): Promise<string[]> {
  started.kill('SIGINT');
  const { how, stdout } = await started.ended;
  expect(how).toBe('SIGINT');
  return stdout.split('\n').slice(0, -1);
}

/** How many sockets a daemon has that nobody asks anything. */
const LISTENING = 1;

/** How many sockets a daemon has: one for each mount and each connection. */
function sockets({ pid }: Mount): number {
  return linksOfDescriptors(pid).filter((link) => link.startsWith('socket:')).length;
}

const WHEN = '\\d\\d:\\d\\d:\\d\\d\\.\\d{6}';
const TOOK = '<\\d+\\.\\d{6}>';
const told = (who: string, what: string) =>
  expect.stringMatching(new RegExp(`^${WHEN} \\[${who}\\] ${what} ${TOOK}$`));

const GREETER = `
import { defineModule, procCreateSingle } from 'ramproc';
export default defineModule({
  name: 'greeter',
  init: ({ root }) => void procCreateSingle('hello', 0o444, root, () => 'hello\\n'),
});
`;

describe.each([
  ['by workers', []],
  ['in a secret', ['--secret']],
  ['by an event loop', ['--join']],
  ['over libfuse', ['--transport', 'libfuse']],
])('requests that are served %s', (kind, options) => {
  test('are told of as they happen, and the next trace of the same mount begins anew', async () => {
    const at = await mount(options);
    // It may have joined a daemon that goes on.
    await using _unmounted = { [Symbol.asyncDispose]: async () => void (await ramproc('unmount', at.dir)) };
    for (const contents of ['here', 'elsewhere']) {
      const traced = await trace(at);
      writeFileSync(at.file, contents);
      await run('cat', at.file);
      expect(existsSync(join(at.dir, 'none'))).toBe(false);
      const own = kind === 'over libfuse' ? 'pid \\?' : `pid ${process.pid}, root`;
      const cat = kind === 'over libfuse' ? 'pid \\?' : 'pid \\d+, root';
      const none = kind === 'over libfuse' ? 'GETATTR' : 'LOOKUP';
      const { length } = contents;
      await until(() => traced.stdout.includes('ENOENT'), 'Not all requests are told of.');
      const lines = await end(traced);
      expect(lines).toContainEqual(
        told(own, `WRITE\\("/rust-proc-file", size=${length}, offset=0\\) = ${length}`),
      );
      expect(lines).toContainEqual(told(cat, `OPEN\\("/rust-proc-file", flags=O_RDONLY\\) = 0`));
      expect(lines).toContainEqual(
        told(cat, `READ\\("/rust-proc-file", size=131072, offset=0\\) = ${length}`),
      );
      expect(lines).toContainEqual(told(own, `${none}\\("/none"\\) = ENOENT`));
      const times = lines.map((line) => line.slice(0, 15));
      expect(times).toEqual(times.toSorted());
      // What the file contains is nowhere.
      expect(lines.join('')).not.toContain(contents);
    }
  });
});

test('modules in one directory are traced together, also what is loaded meanwhile', async () => {
  await using at = await mount();
  const traced = await trace(at);
  const file = join(makeDir('module'), 'greeter.mjs');
  writeFileSync(file, GREETER);
  expect((await ramproc('load', file, at.dir)).stderr).toBe('');
  await run('cat', join(at.dir, 'hello'), at.file);
  await until(() => traced.stdout.includes('READ("/rust-proc-file"'), 'Not all requests are told of.');
  expect(await end(traced)).toContainEqual(
    told('pid \\d+, root', 'READ\\("/hello", size=131072, offset=0\\) = 6'),
  );
});

test('arguments and results are in words', async () => {
  await using at = await mount();
  const traced = await trace(at, ['--filter', 'setattr,lseek,fallocate,open,getxattr']);
  const fd = openSync(at.file, 'a+');
  writeSync(fd, 'x'.repeat(10_000));
  calls.lseek(fd, 0, 4);
  calls.fallocate(fd, 3, 0, 4096);
  calls.fchmod(fd, 0o600);
  calls.ftruncate(fd, 5);
  closeSync(fd);
  await until(() => traced.stdout.includes('size=5'), 'Not all requests are told of.');
  const what = (await end(traced)).map((line) => line.replace(/^.*\] (.*) <.*$/, '$1'));
  expect(what).toEqual([
    'OPEN("/rust-proc-file", flags=O_RDWR|O_APPEND) = 0',
    'LSEEK("/rust-proc-file", offset=0, whence=SEEK_HOLE) = 10000',
    // The file could have capabilities, which a change takes (file_modified); the kernel asks once.
    'GETXATTR("/rust-proc-file") = ENOSYS',
    'FALLOCATE("/rust-proc-file", mode=FALLOC_FL_KEEP_SIZE|FALLOC_FL_PUNCH_HOLE, offset=0, length=4096) = 0',
    'SETATTR("/rust-proc-file", mode=0600) = 0',
    'SETATTR("/rust-proc-file", size=5) = 0',
  ]);
});

describe('a filter', () => {
  test('has only what it names, and all of it must be true', async () => {
    await using at = await mount(['--file', 'one', '--file', 'two=8k']);
    const [one, two] = [join(at.dir, 'one'), join(at.dir, 'two')];
    const reads = await trace(at, ['--filter', 'read', '--filter', one]);
    const failed = await trace(at, ['--filter', 'failed', '--json']);
    writeFileSync(one, 'x');
    expect(() => writeFileSync(two, 'x'.repeat(10_000))).toThrow(/ENOSPC/);
    await run('cat', two, one);
    await run('stat', join(at.dir, 'none'));
    await until(() => reads.stdout.includes('= 0 <') && failed.stdout.includes('none'), 'Not all is told.');
    expect((await end(reads)).map((line) => line.replace(/^.*\] (.*) = .*$/, '$1'))).toEqual([
      'READ("/one", size=131072, offset=0)',
      'READ("/one", size=131072, offset=1)',
    ]);
    const events = (await end(failed)).map((line) => JSON.parse(line));
    expect(events).toContainEqual({
      ...{ operation: 'WRITE', path: '/two', uid: 0, gid: 0, tid: process.pid, error: 'ENOSPC' },
      details: { size: 1808, offset: 8192 },
      at: expect.any(Number),
      ms: expect.any(Number),
    });
    expect(events.filter(({ error }) => error === undefined)).toEqual([]);
    const { at: time } = events[0];
    expect(Math.abs(time - Date.now())).toBeLessThan(600_000);
  });
});

describe('a trace ends', () => {
  test('when nobody reads it any more, though nothing is asked, and the daemon lets go of it', async () => {
    const dir = shellDir();
    await using at = await mount();
    await expect.poll(() => sockets(at)).toBe(LISTENING);
    const piped = bash(
      dir,
      `set -o pipefail; { ramproc trace ${at.dir}; echo $? >status; } 2>err | head -n 1`,
    );
    await until(
      () => existsSync(join(dir, 'err')) && readFileSync(join(dir, 'err'), 'utf8') !== '',
      'The trace does not begin.',
    );
    writeFileSync(at.file, '');
    const { stdout } = await piped;
    expect(stdout.split('\n')).toHaveLength(2);
    expect(readFileSync(join(dir, 'status'), 'utf8')).toBe('0\n');
    await expect.poll(() => sockets(at)).toBe(LISTENING);
  });

  test.each(['SIGINT', 'SIGTERM', 'SIGKILL'] as const)(
    'by %s, and the daemon lets go of it',
    async (signal) => {
      await using at = await mount();
      // The command that mounted may be about to end.
      await expect.poll(() => sockets(at)).toBe(LISTENING);
      const traced = await trace(at);
      await expect.poll(() => sockets(at)).toBe(LISTENING + 1);
      traced.kill(signal);
      expect((await traced.ended).how).toBe(signal);
      await expect.poll(() => sockets(at)).toBe(LISTENING);
    },
  );

  test('when the directory is unmounted, with all that was asked until then', async () => {
    await using at = await mount();
    const traced = await trace(at, ['--filter', 'write']);
    writeFileSync(at.file, 'x');
    expect((await ramproc('unmount', at.dir)).stderr).toBe('');
    const { how, stdout, stderr } = await traced.ended;
    expect(how).toBe(0);
    expect(stdout).toMatch(/^.* WRITE\("\/rust-proc-file", size=1, offset=0\) = 1 <.*>\n$/);
    expect(stderr.split('\n')[1]).toBe(`ramproc: "${at.dir}" is unmounted.`);
  });

  test('when the daemon is killed, which is said', async () => {
    await using at = await mount();
    const traced = await trace(at);
    process.kill(at.pid, 'SIGKILL');
    const { how, stderr } = await traced.ended;
    expect(how).toBe(32);
    expect(stderr.split('\n')[1]).toBe(
      `ramproc: Cannot trace "${at.dir}": its daemon ended before it had answered.`,
    );
  });
});

test('who does not read holds nobody up, and is told how many were not shown', async () => {
  const count = 20_000;
  await using at = await mount();
  const traced = await trace(at, ['--filter', 'write']);
  const mark = await trace(at, ['--filter', 'write', '--json']);
  traced.kill('SIGSTOP');
  const file = openSync(at.file, 'w');
  for (let i = 0; i < count; i++) writeSync(file, 'x', 0);
  closeSync(file);
  await sleep(PATIENCE);
  traced.kill('SIGCONT');
  const total = (text: string, shown: RegExp) => {
    const missed = [...text.matchAll(shown)].reduce((sum, [, some]) => sum + Number(some), 0);
    return missed + (text.match(/WRITE/g)?.length ?? 0);
  };
  const all = () => [
    total(traced.stdout, /^… (\d+) not shown$/gm),
    total(mark.stdout, /^\{"missed":(\d+)\}$/gm),
  ];
  await expect.poll(all).toEqual([count, count]);
  expect(traced.stdout).toContain('not shown');
  await end(traced);
  await end(mark);
});

test('a user traces what is his own, root all, and others nothing', async () => {
  await using theirs = await mountAsNobody();
  await using own = await mount(['--allow-other']);
  for (const start of [startRamproc, startRamprocAsNobody]) {
    const traced = await trace(theirs, [], start);
    await ramprocAsNobody('list');
    await run('setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups', 'cat', theirs.file);
    await until(() => traced.stdout.includes('READ('), 'Nothing is told.');
    expect(await end(traced)).toContainEqual(
      told('pid \\d+, nobody', 'READ\\("/rust-proc-file", size=\\d+, offset=0\\) = 0'),
    );
  }
  expect(await ramprocAsNobody('trace', own.dir)).toEqual({
    status: 32,
    stdout: '',
    stderr: `ramproc: Cannot trace "${own.dir}": only user 0 and root may ask its daemon.\n`,
  });
});
