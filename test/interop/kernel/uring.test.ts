import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { attempt } from '../../../src/sys/processes.ts';
import { record } from '../../bytes/record.ts';
import { expectSame } from '../../bytes/replay.ts';
import { until } from '../../support/hanging.ts';
import { mount, ramproc, run } from '../../support/mount.ts';
import { Program } from '../../support/program.ts';
import { makeDir } from '../../support/run.ts';
import { startRamproc } from '../../support/started.ts';
import { hasUring, withoutUring, withUring } from '../../support/uring.ts';

const PROGRAM = join(import.meta.dirname, 'uring-program.ts');

/** More than a queue has entries at first, or gets while its thread is stopped. */
const MANY = 60;

/** Has so many children on one processor open a file, and all read it once standard input ends. */
const READERS = `
  my ($path, $count) = @ARGV;
  pipe(my $ready, my $opened) or die;
  my @children;
  for (1 .. $count) {
    my $pid = fork();
    push(@children, $pid), next if $pid;
    open(my $file, '<', $path) or die;
    syswrite($opened, '.');
    sysread(STDIN, my $end, 1);
    exit(sysread($file, my $bytes, 100) == 6 ? 0 : 1);
  }
  sysread($ready, my $one, 1) for @children;
  syswrite(STDOUT, "opened\\n");
  my $failed = 0;
  for (@children) { waitpid($_, 0); $failed++ if $? }
  exit($failed);`;

/** A reader that reads once standard input ends, catches a signal, and tells the number of the error that it then gets. */
const READER = `
  $SIG{USR1} = sub {};
  open(my $file, '<', $ARGV[0]) or die;
  syswrite(STDOUT, "opened\\n");
  sysread(STDIN, my $end, 1);
  print defined sysread($file, my $bytes, 100) ? 'woken' : 'errno ', $! + 0;`;

function perl(script: string, ...parameters: string[]): ChildProcess {
  return spawn('taskset', ['-c', '0', 'perl', '-e', script, ...parameters], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
}

function start(threads: number, go = ''): Promise<Program> {
  return withUring(() => Program.start(PROGRAM, String(threads), go));
}

/** What a program says, which may still go on. */
function said(process: ChildProcess): () => string {
  let text = '';
  process.stdout?.setEncoding('utf8').on('data', (more: string) => {
    text += more;
  });
  return () => text;
}

async function waiting({ dir }: Program): Promise<number> {
  return Number((await run('cat', join(dir, 'waiting'))).stdout);
}

describe.each(hasUring ? [1, 2] : [])('over io_uring with %i threads', (threads) => {
  test('readers that wait keep out neither who wakes them nor anybody else', async () => {
    await using program = await start(threads);
    const readers = perl(READERS, join(program.dir, 'late'), String(MANY));
    const ended = once(readers, 'close');
    await once(readers.stdout ?? readers, 'data');
    readers.stdin?.end();
    await expect.poll(() => waiting(program)).toBe(MANY);
    expect((await run('taskset', '-c', '0', 'stat', '-f', program.dir)).status).toBe(0);
    await run('taskset', '-c', '0', 'sh', '-c', 'echo >"$0"', join(program.dir, 'wake'));
    expect((await ended)[0]).toBe(0);
  });

  test('readers that came at once while no entry was left are served without another request', async () => {
    await using program = await start(threads);
    const readers = perl(READERS, join(program.dir, 'late'), String(MANY));
    const ended = once(readers, 'close');
    await once(readers.stdout ?? readers, 'data');
    process.kill(program.pid, 'SIGSTOP');
    readers.stdin?.end();
    // Each waits in the kernel by then: the handler has none, and nobody else asks for anything on that processor.
    await sleep(500);
    process.kill(program.pid, 'SIGCONT');
    const other = () => run('taskset', '-c', '1', 'cat', join(program.dir, 'waiting'));
    await expect.poll(async () => Number((await other()).stdout)).toBe(MANY);
    await run('sh', '-c', 'echo >"$0"', join(program.dir, 'wake'));
    expect((await ended)[0]).toBe(0);
  });

  test('a reader that waits and catches a signal gets EINTR', async () => {
    await using program = await start(threads);
    const reader = perl(READER, join(program.dir, 'late'));
    reader.stdin?.end();
    const output = said(reader);
    await expect.poll(() => waiting(program)).toBe(1);
    reader.kill('SIGUSR1');
    await once(reader, 'close');
    expect(output()).toBe('opened\nerrno 4');
  });

  test('so does one whose signal comes before its request does, where the thread that serves is busy', async () => {
    const go = join(makeDir('go'), 'go');
    await using program = await start(threads, go);
    const reader = perl(READER, join(program.dir, 'late'));
    reader.stdin?.end();
    const output = said(reader);
    await expect.poll(() => waiting(program)).toBe(1);
    const second = perl(READER, join(program.dir, 'late'));
    const secondOutput = said(second);
    await expect.poll(secondOutput).toBe('opened\n');
    const blocked = run('cat', join(program.dir, 'block'));
    await expect.poll(() => program.said).toContain('blocked');
    second.stdin?.end();
    await until(() => isReading(second), 'It does not read.');
    // The kernel tells of no signal that comes before a ring's thread has run and taken the request (fuse_uring_prepare_send).
    await until(() => isAsleep(program.pid), 'The request is not taken.');
    second.kill('SIGUSR1');
    reader.kill('SIGUSR1');
    const ended = Promise.all([once(reader, 'close'), once(second, 'close'), blocked]);
    writeFileSync(go, '');
    await ended;
    expect([output(), secondOutput()]).toEqual(['opened\nerrno 4', 'opened\nerrno 4']);
  });
});

/** Whether a program is in a system call on another file than standard input. Source: proc_pid_syscall(5). */
function isReading({ pid }: ChildProcess): boolean {
  return /^\d+ 0x[1-9]/.test(readFileSync(`/proc/${pid}/syscall`, 'latin1'));
}

/** Whether each thread of a process sleeps: what it was woken for is done. Source: proc_pid_stat(5). */
function isAsleep(pid: number): boolean {
  return readdirSync(`/proc/${pid}/task`).every((thread) =>
    /^.*\) S/s.test(attempt(() => readFileSync(`/proc/${pid}/task/${thread}/stat`, 'latin1')) ?? ') S'),
  );
}

describe.each(hasUring ? [['uring']] : [])('a mount by --channel %s', () => {
  test('is shown as one, and its requests come by rings', async () => {
    await using at = await mount(['--channel', 'uring']);
    const { stdout } = await ramproc('list', '--json');
    expect(JSON.parse(stdout)).toContainEqual(expect.objectContaining({ dir: at.dir, channel: 'uring' }));
    const stats = await ramproc('stats', at.dir, '--json');
    expect(JSON.parse(stats.stdout)).toMatchObject({ transport: 'kernel', channel: 'uring' });
    expect((await ramproc('stats', at.dir)).stdout).toContain('(kernel over io_uring, direct I/O)');
    const rings = await run('sh', '-c', `ls -l /proc/${at.pid}/fd | grep -c '\\[io_uring\\]'`);
    expect(Number(rings.stdout)).toBeGreaterThan(0);
  });

  test('is traced, from when somebody wants to know', async () => {
    await using at = await mount(['--channel', 'uring']);
    const trace = startRamproc('trace', at.dir, '--filter', 'READ,WRITE,LOOKUP,GETATTR');
    await until(() => trace.stderr.includes('\n'), 'The trace does not begin.');
    await run('sh', '-c', 'echo traced >"$0"; cat "$0"', at.file);
    await until(() => /READ\(.* = 0 /.test(trace.stdout), 'The end of the file is not read.');
    trace.kill('SIGINT');
    const { stdout } = await trace.ended;
    expect(stdout).toMatch(/ WRITE\("\/rust-proc-file", size=7, offset=0\) = 7 /);
    expect(stdout).toMatch(/ READ\("\/rust-proc-file", size=131072, offset=0\) = 7 /);
    // By the thread that has the tree, whose answers go by the ring's.
    expect(stdout).toMatch(/ LOOKUP\("\/rust-proc-file"\) = /);
  });

  test('that is recorded is understood, and has the same replies without a kernel', async () => {
    await expectSame(await record(['--channel', 'uring']), true);
  });

  test('is refused where the module does not offer it, with what to do', async () => {
    const { status, stderr } = await withoutUring(() =>
      ramproc('mount', makeDir('refused'), '-o', 'channel=uring'),
    );
    expect(stderr).toMatch(
      /Cannot mount with io_uring: .*echo Y >\/sys\/module\/fuse\/parameters\/enable_uring/,
    );
    expect(status).toBe(32);
  });
});

test('by itself a mount takes /dev/fuse', async () => {
  await using at = await mount();
  const { stdout } = await ramproc('stats', at.dir, '--json');
  expect(JSON.parse(stdout)).toMatchObject({ channel: 'device' });
});
