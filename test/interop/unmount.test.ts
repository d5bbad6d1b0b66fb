import { chmodSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { traces } from '../faults/traces.ts';
import { openDeviceToAll } from '../support/device.ts';
import type { Ended } from '../support/mount.ts';
import { aloneWith, bash, shellDir } from '../support/shell.ts';

/** Runs a script with the command in it where no other mounts of ours are; `a`, `b` and `c` are empty directories. */
async function alone(script: string): Promise<Ended> {
  const dir = shellDir();
  chmodSync(dir, 0o755);
  const functions = `nobody() { setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; }
    mounted() { findmnt -rn -t fuse.ramproc -o TARGET | sed 's,.*/,,'; }
    mkdir -m 777 a b c`;
  writeFileSync(`${dir}/script`, aloneWith({}, `${functions}\n${script}`));
  const ended = await bash(dir, 'unshare --mount bash script');
  // One that was still in use ends after the script that used it.
  await expect.poll(() => traces(dir).running).toEqual([]);
  return ended;
}

/** What a program reads: an object a line. */
function lines({ stdout }: Ended): unknown[] {
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

describe('ramproc unmount', () => {
  test('takes several directories, tries each, and says of each what became of it', async () => {
    const ended =
      await alone(`for dir in a c; do ramproc mount $dir >/dev/null; done; ramproc unmount a b c --json
      status=$?; mounted; exit $status`);
    expect(ended.status).toBe(32);
    expect(ended.stderr).toBe('ramproc: Cannot unmount "b": it is not mounted by ramproc.\n');
    expect(lines(ended)).toEqual([
      { dir: expect.stringMatching(/\/a$/), status: 'ended', pid: expect.any(Number) },
      { error: 'Cannot unmount "b": it is not mounted by ramproc.', status: 32 },
      { dir: expect.stringMatching(/\/c$/), status: 'ended', pid: expect.any(Number) },
    ]);
  });

  test('--all is each, the last one first, and none is no mistake', async () => {
    const script = `for dir in a b c; do ramproc mount $dir >/dev/null; done; ramproc unmount --all -v; mounted
      ramproc unmount --all`;
    const { status, stdout, stderr } = await alone(script);
    expect([status, stdout]).toEqual([0, '']);
    const said = [...stderr.matchAll(/^ramproc: ".*\/(.)" is unmounted\.\n/gm)].map(([, dir]) => dir);
    expect(said).toEqual(['c', 'b', 'a']);
  });

  test('--all of an ordinary user is what that user mounted', async () => {
    using _device = openDeviceToAll();
    const script = `ramproc mount a >/dev/null; nobody "$(command -v ramproc)" mount b >/dev/null
      nobody "$(command -v ramproc)" unmount --all; mounted; ramproc unmount -a; mounted`;
    expect(await alone(script)).toEqual({ status: 0, stdout: 'a\n', stderr: '' });
  });

  test.each([
    ['-l', 'open', 'data'],
    ['-f', 'taken', ''],
  ])('%s is short for what it does', async (flag, status, read) => {
    const script = `ramproc mount a >/dev/null; echo data >a/rust-proc-file; exec 3<a/rust-proc-file
      ramproc unmount a b ${flag} --json; cat <&3 2>/dev/null; exit 0`;
    const { stdout } = await alone(script);
    const [first = '', , ...rest] = stdout.split('\n');
    expect(JSON.parse(first)).toMatchObject({ status });
    expect(rest.join('\n').trim()).toBe(read);
  });

  test('of one that is in use fails, and goes on to the next', async () => {
    const script = `for dir in a b; do ramproc mount $dir >/dev/null; done; exec 3<a/rust-proc-file
      ramproc unmount a b; status=$?; mounted; exec 3<&-; ramproc unmount a; exit $status`;
    const { status, stdout, stderr } = await alone(script);
    expect([status, stdout]).toEqual([32, 'a\n']);
    expect(stderr).toMatch(
      /^ramproc: Cannot unmount ".*\/a": it is in use by process \d+ \(bash script\); end .*\n$/,
    );
  });
});

describe('an error, for a program', () => {
  test.each([
    [
      'mount nope',
      32,
      expect.stringMatching(/^Cannot mount on .*: there is no such directory; create it with "mkdir"\.$/),
      'ENOENT',
    ],
    ['mount a -o bogus', 1, 'The mount option "bogus" is unknown.'],
    ['mount a --bogus', 1, "Cannot mount: unknown option '--bogus'."],
    ['mount', 1, "Cannot mount: missing required argument 'dir'."],
    ['mount a --log .', 32, expect.stringMatching(/^Cannot append messages to .*\.$/), 'EISDIR'],
    ['unmount nope', 32, expect.stringMatching(/^Cannot unmount "nope": ENOENT, .*\.$/), 'ENOENT'],
    ['frob', 1, "Cannot go on: unknown command 'frob'."],
  ])('of "ramproc %s --json" is an object too', async (words, status, error, code?: string) => {
    const ended = await alone(`ramproc ${words} --json`);
    expect(ended.status).toBe(status);
    expect(lines(ended)).toEqual([{ error, status, ...(code === undefined ? {} : { code }) }]);
    expect(ended.stderr).toMatch(/^ramproc: .*\n/);
  });
});

test('a user and a group are taken by name', async () => {
  const { stdout } = await alone(
    'ramproc mount a --uid nobody --gid daemon >/dev/null; stat -c %U:%G a/*; ramproc unmount a',
  );
  expect(stdout).toBe('nobody:daemon\n');
});
