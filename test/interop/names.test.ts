import { chownSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseMountOptions } from '../../src/cli/options.ts';
import { mountAt } from '../../src/sys/mountinfo.ts';
import { oneLine } from '../../src/text/one-line.ts';
import { quote } from '../../src/text/quote.ts';
import { shellWord } from '../../src/text/shell-word.ts';
import { openDeviceToAll } from '../support/device.ts';
import { type Ended, Mount, ramproc, run } from '../support/mount.ts';
import { NOBODY, ramprocAsNobody, runAsNobody } from '../support/nobody.ts';
import { makeDir } from '../support/run.ts';

/** All that a shell, mount(8), fusermount3 or /proc/mounts could take for something else. */
const ODD = ` -o dev,suid,allow_other\\,"a'b"\\134 $(x)\t\n\u{9b}31m ${'ö\u{1f600}'} ro,`;

/** The options of the mount on a directory, as the kernel has them. Source: proc_pid_mountinfo(5). */
function optionsAt(dir: string): string[] {
  const { id } = mountAt(dir) ?? {};
  const line =
    readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .find((one) => one.startsWith(`${id} `)) ?? '';
  const [mine = [], its = []] = line.split(' - ').map((half) => half.split(' '));
  return [...(mine[5] ?? '').split(','), its.slice(0, 2).join(' '), ...(its[2] ?? '').split(',')].toSorted();
}

/** What is said is one line, and nothing in it is an order to a terminal. */
function expectOneLine(said: string): void {
  expect(said).toMatch(/^[^\p{Cc}]+\n$/u);
}

const roots: [string, (...parameters: string[]) => Promise<Ended>][] = [
  ['root', ramproc],
  ['an ordinary user', ramprocAsNobody],
];
const cases = roots.flatMap(([who, command]) =>
  (['kernel', 'libfuse'] as const).map((transport) => ({ who, command, transport })),
);

describe.each(cases)('a mount by $who over $transport', ({ who, command, transport }) => {
  test('has only its own options, and says one line, whatever directory and file are called', async () => {
    using _device = openDeviceToAll();
    const dir = join(makeDir('names'), ODD);
    mkdirSync(dir);
    const owner = who === 'root' ? 0 : NOBODY;
    chownSync(dir, owner, owner);
    const made = await command('mount', dir, '--json', '--name', ODD, '--transport', transport);
    expect(made.stderr).toBe('');
    expectOneLine(made.stdout);
    await using at = new Mount(JSON.parse(made.stdout));
    expect(at).toMatchObject({ dir, file: join(dir, ODD) });
    const its = ['default_permissions', `group_id=${owner}`, `user_id=${owner}`];
    expect(optionsAt(dir)).toEqual(
      ['fuse.ramproc ramproc', 'nodev', 'nosuid', 'relatime', 'rw', 'rw', ...its].toSorted(),
    );
    const sh = (script: string) =>
      (who === 'root' ? run : runAsNobody)('bash', '-c', script, 'bash', at.file, at.dir);
    expect(await sh('echo text > "$1" && cat "$1" && ls -1N "$2"')).toEqual({
      status: 0,
      stdout: `text\n${ODD}\n`,
      stderr: '',
    });
    expectOneLine((await command('mount', dir)).stderr);
    expect(await command('unmount', dir)).toEqual({ status: 0, stdout: '', stderr: '' });
    await at.ended();
    expect(mountAt(dir)).toBeUndefined();
  });
});

test('a holder with an odd command line is named on one line', async () => {
  const { stdout } = await ramproc('mount', makeDir('held'), '--json');
  await using at = new Mount(JSON.parse(stdout));
  const script = `exec 3< "$1"; "$2" "$3" unmount "$4"; true`;
  const { stderr } = await run(
    'bash',
    '-c',
    script,
    ODD,
    at.file,
    process.execPath,
    'bin/ramproc.js',
    at.dir,
  );
  expectOneLine(stderr);
  expect(stderr).toMatch(/in use by process \d+ \(bash -c/);
});

test('a directory or file whose name is not UTF-8 is refused in one sentence', async () => {
  const parent = makeDir('bytes');
  const sh = (script: string) =>
    run(
      'bash',
      '-c',
      `cd "$1"; ${script}`,
      'bash',
      parent,
      process.execPath,
      `${process.cwd()}/bin/ramproc.js`,
    );
  expect((await sh(String.raw`mkdir -p $'a\xff/b'; ln -s $'a\xff' link`)).status).toBe(0);
  symlinkSync('nowhere', join(parent, 'dangling'));
  for (const [where, dir] of [
    ['.', String.raw`$'a\xff'`],
    ['.', 'link'],
    [String.raw`$'a\xff'`, 'b'],
  ]) {
    for (const command of ['mount', 'unmount']) {
      const { status, stderr } = await sh(`cd ${where}; "$2" "$3" ${command} ${dir}`);
      expect({ status, stderr }).toMatchObject({
        status: 32,
        stderr: expect.stringMatching(/^ramproc: Cannot .*isn't UTF-8.*rename it/),
      });
      expectOneLine(stderr);
    }
  }
  const named = await sh(String.raw`mkdir c; "$2" "$3" mount c --name $'a\xff'`);
  expect(named).toMatchObject({ status: 1, stderr: expect.stringContaining('It must be UTF-8.') });
  expectOneLine((await sh('"$2" "$3" mount dangling')).stderr);
  expect(readdirSync(join(parent, 'c'))).toEqual([]);
});

test.each(['toString', '__proto__', 'fd=3', 'subtype', 'ro\nrw', 'name=a,user_id=0'])(
  '%j is no option of -o',
  (options) => {
    expect(() => parseMountOptions(options)).toThrow(/is unknown/);
  },
);

const text = fc.string({
  unit: fc.oneof(fc.constantFrom(...ODD), fc.string({ unit: 'binary', minLength: 1, maxLength: 1 })),
});

test('any text is one line in a message, and different texts stay different', () => {
  fc.assert(
    fc.property(text, (one) => {
      expect(oneLine(one)).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u);
      expect(JSON.parse(quote(one))).toBe(one);
    }),
  );
});

test('any path is one word for bash, and one line', async () => {
  const paths = fc
    .sample(text, 200)
    .map((one) => `/${one.replaceAll('\0', '')}`)
    .filter((one) => Buffer.from(one).toString() === one);
  const script = `printf '%s\\0' ${paths.map(shellWord).join(' ')}`;
  expect(script).not.toMatch(/\n/);
  const file = join(makeDir('words'), 'script');
  writeFileSync(file, script);
  expect((await run('env', 'LC_ALL=C.UTF-8', 'bash', file)).stdout.split('\0').slice(0, -1)).toEqual(paths);
});
