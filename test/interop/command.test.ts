import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  appendFileSync,
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  statfsSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { mountAt } from '../../src/sys/mountinfo.ts';
import { readLog } from '../support/log.ts';
import { COMMAND, type Ended, Mount, mount, ramproc, run, runs } from '../support/mount.ts';
import { promptly } from '../support/promptly.ts';
import { makeDir } from '../support/run.ts';
import { Tmpfs } from '../support/tmpfs.ts';

const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));

/** Runs a shell script with the command as `$ramproc` and its parameters behind. */
function sh(script: string, ...parameters: string[]): Promise<Ended> {
  return run('bash', '-c', `ramproc=$1; shift\n${script}`, 'bash', COMMAND, ...parameters);
}

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** The processes that have a directory in their command line, or in the title that they gave themselves. */
function processesOf(dir: string): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && commandLine(pid).includes(dir) && runs(pid));
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

/** Expects that a command failed with a sentence, and left neither mount nor process. */
function expectRefusal({ status, stdout, stderr }: Ended, dir: string, expected: number, why: RegExp): void {
  expect(stderr).toMatch(why);
  expect(stderr.trim().split('\n')).toHaveLength(1);
  expect([status, stdout]).toEqual([expected, '']);
  expect(mountAt(dir)).toBeUndefined();
  expect(processesOf(dir)).toEqual([]);
}

describe('ramproc mount', () => {
  test('returns when the file can be opened, and says where it is and how to unmount it', async () => {
    const dir = makeDir('mount');
    const { status, stdout, stderr } = await promptly(ramproc('mount', dir), 'Mounting');
    const file = `${dir}/rust-proc-file`;
    const fd = openSync(file, constants.O_RDWR);
    expect(readSync(fd, Buffer.alloc(1))).toBe(0);
    closeSync(fd);
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(
      /^\S+\/rust-proc-file is there, .* process \d+; unmount it with "fusermount -u .*"\.\n$/,
    );
    await using _mount = new Mount({ dir, file, pid: Number(stdout.match(/process (\d+)/)?.[1]) });
  });

  test('is fuse.ramproc in /proc/mounts', async () => {
    await using at = await mount();
    expect(readFileSync('/proc/mounts', 'utf8')).toContain(
      `\nramproc ${at.dir} fuse.ramproc rw,nosuid,nodev,`,
    );
  });

  test('takes name, mode, owner and size, by options and by the same names after -o', async () => {
    const options = [
      ['--name', 'notes', '--mode', '0640', '--uid', '5', '--gid', '7', '--max-size', '64M'],
      ['-n', 'notes', '-m', '640', '--uid', '5', '--gid', '7', '-s', '65536k'],
      ['-o', 'name=notes,mode=640', '-o', 'uid=5,gid=7,max_size=64M'],
    ];
    for (const words of options) {
      await using at = await mount(words);
      expect(readdirSync(at.dir)).toEqual(['notes']);
      const { mode, uid, gid } = statSync(at.file);
      expect([mode & 0o7777, uid, gid]).toEqual([0o640, 5, 7]);
      const { stdout } = await run('df', '--output=size,used', '-k', at.dir);
      expect(stdout.trim().split('\n').at(-1)?.trim().split(/\s+/)).toEqual(['65536', '0']);
    }
  });

  test('prints one JSON object with --json', async () => {
    const dir = makeDir('mount');
    const { stdout } = await ramproc('mount', dir, '--json', '-s', '1G');
    const told = JSON.parse(stdout);
    await using _mount = new Mount(told);
    const file = `${dir}/rust-proc-file`;
    const maxSize = 2 ** 30;
    const files = [{ file, maxSize }];
    const modules = [{ id: 'rust_proc_ram_file', entries: ['rust-proc-file'] }];
    expect(told).toEqual({
      ...{ dir, file, files, modules, maxSize },
      ...{ pid: expect.any(Number), transport: 'kernel', channel: 'device' },
    });
    expect(runs(told.pid)).toBe(true);
  });

  test('takes the words of mount(8)', async () => {
    await using at = await mount(['-o', 'ro,noexec,allow_other', '-o', 'default_permissions']);
    const line = readFileSync('/proc/mounts', 'utf8')
      .split('\n')
      .find((one) => one.includes(` ${at.dir} `));
    expect(line?.split(' ').at(3)?.split(',')).toEqual(
      expect.arrayContaining(['ro', 'noexec', 'allow_other', 'default_permissions', 'nosuid', 'nodev']),
    );
    expect(() => openSync(at.file, 'r+')).toThrow('EROFS');
  });

  test.each([
    [['-o', 'ro,bogus'], 1, /The mount option "bogus" is unknown\./],
    [['-o', 'bogus=1'], 1, /The mount option "bogus" is unknown\./],
    [['-o', 'max_size'], 1, /The mount option "max_size" needs a value\./],
    [['-o', 'ro=1'], 1, /The mount option "ro" takes no value\./],
    [['--mode', '9'], 1, /octal/],
    [['--max-size', '0'], 1, /size of 1 byte or more/],
    [['--uid', '-1'], 1, /user's name or number/],
    [['--threads', '0'], 1, /whole number from 1/],
    [['--name', 'a/b'], 1, /1 to 255 bytes/],
    [['--transport', 'bogus'], 1, /kernel or libfuse/],
    [['--bogus'], 1, /unknown option '--bogus'/],
    [['--from', '/none'], 32, /^ramproc: Cannot fill the file from "\/none": .*ENOENT/],
    [
      ['--transport', 'libfuse', '--io', 'cached'],
      32,
      /^ramproc: Cannot mount with "--io cached" over libfuse/,
    ],
  ])('refuses %j with one sentence, and leaves nothing', async (options, status, why) => {
    const dir = makeDir('mount');
    const ended = await ramproc('mount', dir, ...options);
    // commander's own second line.
    expectRefusal(
      { ...ended, stderr: ended.stderr.replace('(add --help for the options)\n', '') },
      dir,
      status,
      why,
    );
  });

  test('refuses a directory that it is mounted on already', async () => {
    await using at = await mount();
    const { status, stdout, stderr } = await ramproc('mount', at.dir);
    expect([status, stdout]).toEqual([32, '']);
    expect(stderr).toBe(
      `ramproc: Cannot mount on "${at.dir}": it is mounted already; unmount it first with "ramproc unmount ${at.dir}".\n`,
    );
    expect(statSync(at.file).size).toBe(0);
  });
});

describe('ramproc mount --max-size', () => {
  test.each(['1', '1k', '5000', '4096', '1m', '1%'])('%s is as much as for a tmpfs', async (size) => {
    using tmpfs = new Tmpfs(size);
    const holds = (dir: string) => {
      const { blocks, bsize } = statfsSync(dir);
      return blocks * bsize;
    };
    for (const options of [
      ['-s', size],
      ['-o', `size=${size}`],
      ['--io', 'passthrough', '-s', size],
    ]) {
      await using at = await mount(options);
      expect(holds(at.dir)).toBe(holds(tmpfs.dir));
    }
  });

  test.each([
    ['1k', 4096, '4 KiB'],
    ['5000', 8192, '8 KiB'],
    ['1.5MiB', 1.5 * 2 ** 20, '1.5 MiB'],
    ['1MB', 1_003_520, '980 KiB'],
  ])('%s is said to be %d bytes, and holds them', async (size, bytes, words) => {
    const dir = makeDir('mount');
    const { stdout } = await ramproc('mount', dir, '-s', size);
    await using at = new Mount({
      dir,
      file: `${dir}/rust-proc-file`,
      pid: Number(stdout.match(/process (\d+)/)?.[1]),
    });
    expect(stdout).toContain(`for up to ${words}, `);
    const json = await ramproc('mount', makeDir('mount'), '-s', size, '--json');
    const told = JSON.parse(json.stdout);
    await using _other = new Mount(told);
    expect(told.maxSize).toBe(bytes);
    writeFileSync(at.file, Buffer.alloc(bytes));
    expect(() => appendFileSync(at.file, 'x')).toThrow('ENOSPC');
    expect(statSync(at.file).size).toBe(bytes);
  });
});

describe('ramproc mount --from', () => {
  const bytes = randomBytes(5_000_001);

  test('fills the file from another, before anybody sees it', async () => {
    const source = `${makeDir('from')}/source`;
    writeFileSync(source, bytes);
    await using at = await mount(['--from', source]);
    expect(digest(readFileSync(at.file))).toBe(digest(bytes));
  });

  test('fills the file from a pipe', async () => {
    const dir = makeDir('mount');
    const source = `${makeDir('from')}/source`;
    writeFileSync(source, bytes);
    const { stdout, stderr } = await sh('cat "$1" | "$ramproc" mount "$2" --json --from -', source, dir);
    expect(stderr).toBe('');
    await using at = new Mount(JSON.parse(stdout));
    expect(digest(readFileSync(at.file))).toBe(digest(bytes));
  });

  test('of more than --max-size says so, and leaves nothing', async () => {
    const dir = makeDir('mount');
    const ended = await sh('head -c 3M /dev/zero | "$ramproc" mount "$1" --from - --max-size 2M', dir);
    expectRefusal(
      ended,
      dir,
      32,
      /^ramproc: Cannot fill the file from standard input: more than --max-size .*raise it\.$/m,
    );
  });

  test.each([
    ['xterm', 80],
    ['xterm', 20],
    ['dumb', 80],
  ])(
    'shows its progress on a terminal when it takes long, on one that can draw: %s, %d columns',
    async (term, columns) => {
      const dir = makeDir('mount');
      // script(1) gives it a terminal; a slow source, of a size that isn't known.
      const slow = '(for i in 1 2 3 4 5 6 7 8; do head -c 1M /dev/zero; sleep 0.2; done)';
      const command = `${slow} | ${COMMAND} mount ${dir} --from -`;
      const sized = `stty cols ${columns}; export TERM=${term}; ${command}`;
      const { stdout } = await run('script', '-qec', sized, '/dev/null');
      await using _mount = new Mount({
        dir,
        file: `${dir}/rust-proc-file`,
        pid: Number(stdout.match(/served by process (\d+)/)?.[1]),
      });
      if (term === 'dumb') expect(stdout).toMatch(/^\S+ is there, .*\r\n$/);
      else expect(stdout).toMatch(/filling: [1-8](\.\d+)? MiB/);
      // The cursor is never hidden, and nothing has a colour.
      const codes = stdout.split('\u001b[').slice(1);
      expect(codes.filter((code) => /^(\?(25|7)l|[\d;]*m)/.test(code))).toEqual([]);
      expect(statSync(`${dir}/rust-proc-file`).size).toBe(8 << 20);
    },
  );
});

describe('a daemon', () => {
  test('outlives the terminal that it was started from', async () => {
    const dir = makeDir('mount');
    // script(1) hangs the terminal up when its command ends.
    await run('script', '-qec', `${COMMAND} mount ${dir} --json > ${dir}.json`, '/dev/null');
    await using at = new Mount(JSON.parse(readFileSync(`${dir}.json`, 'utf8')));
    await sleep(300);
    expect(runs(at.pid)).toBe(true);
    writeFileSync(at.file, 'still there');
    expect(readFileSync(at.file, 'utf8')).toBe('still there');
  });

  test('is called ramproc, with its directory and nothing of its options', async () => {
    const parent = makeDir('titled');
    const dir = `${parent}/${'long'.repeat(50)}`;
    mkdirSync(dir);
    const options = ['--secret', '--name', 'password', '--json'];
    const { stdout } = await sh(
      'cd "$1"; shift; "$ramproc" mount "$@"',
      parent,
      'long'.repeat(50),
      ...options,
    );
    await using at = new Mount(JSON.parse(stdout));
    expect(at.dir).toBe(dir);
    const shown = await run('ps', '-ww', '-o', 'comm=,args=', '-p', `${at.pid}`);
    expect(shown.stdout).toMatch(new RegExp(`^ramproc +ramproc ${dir}\n$`));
    expect(commandLine(at.pid).replaceAll('\0', '')).toBe(`ramproc ${dir}`);
    for (const find of [
      ['pgrep', '-x', 'ramproc'],
      ['pgrep', '-f', `^ramproc ${dir}`],
      ['pidof', 'ramproc'],
    ] as const) {
      const [program, ...parameters] = find;
      expect((await run(program, ...parameters)).stdout.trim().split(/\s+/)).toContain(`${at.pid}`);
    }
  });

  test('keeps no directory busy, and has no descriptor of who started it', async () => {
    await using at = await mount();
    const proc = `/proc/${at.pid}`;
    const { stdout } = await run('readlink', `${proc}/cwd`, `${proc}/fd/0`, `${proc}/fd/1`, `${proc}/fd/2`);
    expect(stdout.trim().split('\n')).toEqual(['/', '/dev/null', '/dev/null', '/dev/null']);
  });
});

describe('ramproc mount --foreground', () => {
  /** Starts it, and waits until its file is there. */
  async function foreground(dir: string, ...options: string[]): Promise<ChildProcess & { said: string }> {
    const started = spawn(process.execPath, [COMMAND, 'mount', dir, '--foreground', ...options], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const child = Object.assign(started, { said: '' });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        child.said += text;
      });
    }
    await expect.poll(() => child.said).toContain('rust-proc-file is there');
    return child;
  }

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('ends by %s, with the mount gone', async (signal) => {
    const dir = makeDir('mount');
    const child = await foreground(dir);
    writeFileSync(`${dir}/rust-proc-file`, 'abc');
    const ended = new Promise((end) => child.once('close', (status, by) => end(by ?? status)));
    child.kill(signal);
    expect(await ended).toBe(signal);
    expect(child.said).toContain(`ramproc: ${signal}, unmounting "${dir}"\n`);
    expect(mountAt(dir)).toBeUndefined();
  });

  test('leaves no mount either when it is told to end while it still mounts', async () => {
    for (let i = 0; i < 3; i++) {
      const dir = makeDir('mount');
      const child = spawn(process.execPath, [COMMAND, 'mount', dir, '--foreground'], { stdio: 'ignore' });
      const ended = new Promise((end) => child.once('close', end));
      await expect.poll(() => mountAt(dir), { interval: 1 }).toBeDefined();
      child.kill('SIGTERM');
      await ended;
      expect(mountAt(dir)).toBeUndefined();
    }
  });

  test('logs to a file from the moment that it has mounted', async () => {
    const dir = makeDir('mount');
    const log = `${makeDir('log')}/log`;
    writeFileSync(log, 'before\n');
    const child = await foreground(dir, '--log', log);
    const said = child.said;
    const ended = new Promise((end) => child.once('close', (_, signal) => end(signal)));
    child.kill('SIGTERM');
    expect(await ended).toBe('SIGTERM');
    expect(child.said).toBe(said);
    expect(readLog(log)).toBe(`before\nramproc: SIGTERM, unmounting "${dir}"\n`);
  });

  test('ends when it is unmounted', async () => {
    const dir = makeDir('mount');
    const child = await foreground(dir);
    const ended = new Promise((end) => child.once('close', (status, by) => end(by ?? status)));
    expect((await run('fusermount', '-u', dir)).status).toBe(0);
    expect(await ended).toBe(0);
  });
});

describe('ramproc unmount', () => {
  test.each(['unmount', 'umount'])('%s unmounts in silence, and the daemon ends', async (name) => {
    const at = await mount();
    expect(await ramproc(name, at.dir)).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(mountAt(at.dir)).toBeUndefined();
    await at.ended();
  });

  test('of a file in use says by whom, and changes nothing', async () => {
    await using at = await mount();
    const holder = spawn('tail', ['-f', at.file], { stdio: 'ignore' });
    try {
      await expect.poll(() => readdirSync(`/proc/${holder.pid}/fd`).length).toBeGreaterThan(3);
      expect(await ramproc('unmount', at.dir)).toEqual({
        status: 32,
        stdout: '',
        stderr: `ramproc: Cannot unmount "${at.dir}": it is in use by process ${holder.pid} (tail -f ${at.file}); end that use, or add --lazy or --force.\n`,
      });
      expect(mountAt(at.dir)?.type).toBe('fuse.ramproc');
    } finally {
      holder.kill();
    }
  });

  test('of what is no mount of ours says so', async () => {
    const dir = makeDir('mount');
    for (const [path, why] of [
      [dir, `Cannot unmount "${dir}": it is not mounted by ramproc.`],
      ['/proc', 'Cannot unmount "/proc": it is not mounted by ramproc.'],
      [`${dir}/none`, `Cannot unmount "${dir}/none": ENOENT`],
    ] as const) {
      const { status, stderr } = await ramproc('unmount', path);
      expect(status).toBe(32);
      expect(stderr).toContain(`ramproc: ${why}`);
    }
  });
});

describe('ramproc', () => {
  test('tells its version and its help, each command its own', async () => {
    expect(await ramproc('--version')).toEqual({ status: 0, stdout: `${manifest.version}\n`, stderr: '' });
    const helps = [
      [[], ['mount', 'unmount|umount', '--version']],
      [
        ['mount'],
        ['--max-size <size>', '--from <file>', '--allow-other', '--foreground', '--transport <name>'],
      ],
      [['unmount'], ['--lazy', '--force']],
      [['umount'], ['--lazy', '--force']],
    ];
    for (const [command = [], words = []] of helps) {
      const { status, stdout, stderr } = await ramproc(...command, '--help');
      expect([status, stderr]).toEqual([0, '']);
      for (const word of words) expect(stdout).toContain(word);
    }
  });

  test.each(['', 'mount', 'umount', 'shared'])(
    '%s --help that was made before is what it says on a terminal as wide',
    async (command) => {
      const words = `${COMMAND} ${command} --help`;
      const { stdout } = await run('script', '-qec', `stty cols 80; ${words}`, '/dev/null');
      expect(stdout.replaceAll('\r', '')).toBe(
        (await ramproc(...command.split(' ').filter(Boolean), '--help')).stdout,
      );
    },
  );

  test("a command's help has what -o takes, examples that work, and what its exit status means", async () => {
    const { stdout } = await ramproc('mount', '--help');
    expect(stdout).toMatch(
      /^Options of -o:$.*^ {2}max_size=<size>, size=<size> +as --max-size$.*^ {2}ro, rw /ms,
    );
    expect(stdout).toMatch(/^Exit status:\n {2}0 +success\n {2}1 +wrong usage\n {2}2 .*\n {2}32 .*\n/m);
    const [, examples = ''] = stdout.match(/^Examples:\n((?: {2}.*\n)+)/m) ?? [];
    const commands = examples
      .trim()
      .split('\n')
      .map((line) => line.trim().split(/ {2,}/).at(0) ?? '');
    expect(commands.length).toBeGreaterThan(3);
    for (const command of commands) {
      expect(command).toMatch(/^ramproc mount \/tmp\/ram( |$)/);
      if (command.includes('--foreground')) continue;
      const dir = makeDir('mount');
      const file = `${dir}.iso`;
      writeFileSync(file, 'image');
      const given = command.replace('/tmp/ram', dir).replace('big.iso', file);
      const words = given
        .replaceAll(/(--restore|--save) a\b/g, `$1 ${dir}.saved`)
        .split(' ')
        .slice(1);
      const ended = await ramproc(...words, '--json');
      expect(ended).toMatchObject({ status: 0, stderr: '' });
      await using _at = new Mount(JSON.parse(ended.stdout));
    }
  });

  test.each([[['frob']], [['mount']], [['unmount']], [[]]])(
    'with wrong usage, %j, ends with 1',
    async (words) => {
      const { status, stdout, stderr } = await ramproc(...words);
      expect([status, stdout]).toEqual([1, '']);
      expect(stderr).not.toBe('');
    },
  );
});
