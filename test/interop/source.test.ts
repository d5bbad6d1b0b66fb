import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { chmodSync, chownSync, readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { mountAt } from '../../src/sys/mountinfo.ts';
import { traces } from '../faults/traces.ts';
import { Cgroup } from '../support/cgroup.ts';
import { openDeviceToAll } from '../support/device.ts';
import { Mount, run } from '../support/mount.ts';
import { NOBODY } from '../support/nobody.ts';
import { makeDir } from '../support/run.ts';
import { bash, shellDir } from '../support/shell.ts';

/** A directory with a source in it, and one to mount on. */
function makeScene(): { where: string; dir: string; bytes: Buffer } {
  const where = shellDir();
  // More than a pipe holds, and no whole number of pages.
  const bytes = randomBytes(300_001);
  writeFileSync(join(where, 'file'), bytes);
  return { where, dir: makeDir('mount'), bytes };
}

const digest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** How bash runs the command, in front of `BG`, so that its file is filled with what is in `file`. */
const sources: [says: string, script: string][] = [
  ['a file', 'MOUNT --from file BG'],
  ['standard input', 'MOUNT --from - <file BG'],
  ['a pipe', 'cat file | MOUNT --from - BG'],
  ['/dev/stdin of a file', 'MOUNT --from /dev/stdin <file BG'],
  ['/dev/stdin of a pipe', 'cat file | MOUNT --from /dev/stdin BG'],
  ['/dev/stdin of a here string', 'MOUNT --from /dev/stdin <<<"$(base64 -w 0 file)" BG'],
  ['a here document', 'MOUNT --from - <<END BG\n$(base64 -w 0 file)\nEND'],
  ['/proc/self/fd/0', 'MOUNT --from /proc/self/fd/0 <file BG'],
  ['<(command)', 'MOUNT --from <(cat file) BG'],
  ['/dev/fd/7', 'exec 7<file; MOUNT --from /dev/fd/7 BG'],
  ['/dev/fd/7 of a pipe', 'exec 7< <(cat file); MOUNT --from /dev/fd/7 BG'],
  ['a named pipe', 'mkfifo pipe; cat file >pipe & MOUNT --from pipe BG'],
  ['a link to /dev/stdin', 'ln -s /dev/stdin link; MOUNT --from link <file BG'],
];

describe.each(sources)('the file is filled from %s', (_, script) => {
  /** Where bash has the bytes in a text, they are in base64, and in a line. */
  const expected = (bytes: Buffer) =>
    digest(script.includes('base64') ? Buffer.from(`${bytes.toString('base64')}\n`) : bytes);

  test('in the background', async () => {
    const { where, dir, bytes } = makeScene();
    const line = script.replace('BG', '').replace('MOUNT', `ramproc mount ${dir} --json`);
    const { stdout, stderr } = await bash(where, line);
    expect(stderr).toBe('');
    await using at = new Mount(JSON.parse(stdout));
    expect(digest(readFileSync(at.file))).toBe(expected(bytes));
    // Nothing of the source is kept.
    expect(readlinkSync(`/proc/${at.pid}/fd/0`)).toBe('/dev/null');
  });

  test('in the foreground', async () => {
    const { where, dir, bytes } = makeScene();
    // The directory last: its name is random.
    const line = script.replace('BG', '>told &').replace('MOUNT', `ramproc mount ${dir} --foreground --json`);
    const { stdout, stderr } = await bash(
      where,
      `${line}
      until [ -s told ]; do sleep 0.05; done
      sha256sum <${dir}/rust-proc-file
      kill $!; wait $!`,
    );
    expect(stdout).toBe(`${expected(bytes)}  -\n`);
    expect(stderr).toBe(`ramproc: SIGTERM, unmounting "${dir}"\n`);
    expect(mountAt(dir)).toBeUndefined();
  });
});

test('standard input is read from where it stands, as cat(1) does', async () => {
  const { where, dir, bytes } = makeScene();
  const skip = 'dd bs=1000 count=1 status=none >/dev/null';
  const { stdout } = await bash(where, `exec <file; ${skip}; ramproc mount ${dir} --json --from - -s 292k`);
  await using at = new Mount(JSON.parse(stdout));
  expect(digest(readFileSync(at.file))).toBe(digest(bytes.subarray(1000)));
});

test('a file of /proc, which has no size, is read to its end', async () => {
  const { where, dir } = makeScene();
  const { stdout } = await bash(where, `ramproc mount ${dir} --json --from /proc/version`);
  await using at = new Mount(JSON.parse(stdout));
  expect(readFileSync(at.file, 'utf8')).toBe(readFileSync('/proc/version', 'utf8'));
});

test('who may not open the source is told so, and who was handed it may read it', async () => {
  using _device = openDeviceToAll();
  const { where, dir, bytes } = makeScene();
  chmodSync(join(where, 'file'), 0o600);
  chownSync(dir, NOBODY, NOBODY);
  const asNobody = `setpriv --reuid ${NOBODY} --regid ${NOBODY} --clear-groups`;
  expect(await bash(where, `${asNobody} ramproc mount ${dir} --from file`)).toMatchObject({
    status: 32,
    stderr:
      'ramproc: Cannot fill the file from "file": EACCES, permission denied; give --from a file that you may read.\n',
  });
  const { stdout, stderr } = await bash(
    where,
    `${asNobody} ramproc mount ${dir} --json --from - <file && ${asNobody} sha256sum ${dir}/rust-proc-file`,
  );
  expect(stderr).toBe('');
  const [told = '', sum] = stdout.split('\n');
  await using _at = new Mount(JSON.parse(told));
  expect(sum).toContain(digest(bytes));
});

describe('what is known not to fit is refused before anything is read, with both sizes', () => {
  test.each([
    [
      'more than --max-size',
      '--from file -s 4k',
      'Cannot fill the file from "file": it has 293 KiB (300001 bytes), and --max-size allows 4 KiB (4096 bytes); raise --max-size.',
    ],
    [
      'by one byte',
      '-s 1M --from -',
      'Cannot fill the file from standard input: it has 1 MiB (1048577 bytes), and --max-size allows 1 MiB (1048576 bytes); raise --max-size.',
    ],
  ])('%s', async (_, options, sentence) => {
    const { where, dir } = makeScene();
    for (const foreground of ['', '--foreground']) {
      const ended = await bash(
        where,
        `head -c 1048577 /dev/zero >large; exec <large; ramproc mount ${dir} ${foreground} ${options}; status=$?
        wc -c; exit $status`,
      );
      expect(ended).toEqual({ status: 32, stdout: '1048577\n', stderr: `ramproc: ${sentence}\n` });
      expect(traces(dir)).toEqual({ mounted: [], running: [] });
    }
  });

  test('more than the machine has memory for', async () => {
    const { where, dir } = makeScene();
    await using group = new Cgroup('memory');
    group.set('memory.limit_in_bytes', 384 << 20);
    const script = 'head -c 400M /dev/zero >huge; ramproc mount';
    const ended = await bash(where, `echo $$ >${group.dir}/cgroup.procs; ${script} ${dir} --from huge -s 9T`);
    expect(ended.stderr).toMatch(
      /^ramproc: Cannot fill the file from "huge": it has 400 MiB \(419430400 bytes\), and this machine or control group has memory for .* \(\d+ bytes\); free some\.\n$/,
    );
    expect(ended.status).toBe(32);
    expect(traces(dir)).toEqual({ mounted: [], running: [] });
  });

  test('but holes take nothing, and stay holes', async () => {
    const { where, dir } = makeScene();
    const script = `truncate -s 8T huge; echo data >>huge; ramproc mount ${dir} --json --from huge -s 1M`;
    const { stdout } = await bash(where, script);
    await using at = new Mount(JSON.parse(stdout));
    const { size, blocks } = statSync(at.file);
    expect([size, blocks]).toEqual([2 ** 43 + 5, 8]);
    expect((await run('tail', '-c', '6', at.file)).stdout).toBe('\0data\n');
  });

  test('and what fits to the byte is taken', async () => {
    const { where, dir } = makeScene();
    const { stdout } = await bash(
      where,
      `truncate -s 1M large; ramproc mount ${dir} --json --from large -s 1M`,
    );
    await using at = new Mount(JSON.parse(stdout));
    expect(statSync(at.file).size).toBe(1 << 20);
  });
});

/** What turns the cursor (25) or the wrapping of lines (7) of a terminal off, and not on again. Source: console_codes(4). */
const LEFT_OFF = /ESC\[\?(25|7)l(?!.*ESC\[\?\1h)/s;

describe('Ctrl-C while the file is being filled', () => {
  test.each([[''], ['--foreground']])('leaves nothing, and the terminal as it was %s', async (option) => {
    const { where, dir } = makeScene();
    // It goes on for as long as somebody reads, which Ctrl-C doesn't change.
    const slow = 'trap "" INT; while sleep 0.05 && head -c 100k /dev/zero; do :; done';
    const command = `./ramproc mount ${dir} --from <(${slow}) ${option}`;
    // script(1) gives it a terminal, and hands on what it is told as if it was typed.
    const terminal = spawn('script', ['-qec', `bash -c '${command}'`, '/dev/null'], { cwd: where });
    let shown = '';
    terminal.stdout.setEncoding('utf8').on('data', (text: string) => {
      shown += text;
    });
    const ended = new Promise((end) => terminal.once('close', end));
    await expect.poll(() => shown).toMatch(/filling: \d/);
    terminal.stdin.write('\x03');
    await ended;
    expect(shown.replaceAll('\x1b', 'ESC')).not.toMatch(LEFT_OFF);
    await expect.poll(() => traces(dir)).toEqual({ mounted: [], running: [] });
  });
});
