import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import { MNT_DETACH, umount2 } from '../../src/sys/mount.ts';
import { mounts } from '../../src/sys/mountinfo.ts';
import { HANGS_AFTER } from './hanging.ts';

/**
 * The environment variable that marks the processes of a test run; its value is the run's directory. It is set in the
 * processes that run tests only after they have started, so /proc/PID/environ shows it of their children alone. A daemon
 * is given nobody's environment, but has a directory below that one among its parameters.
 */
const MARK = 'RAMPROC_TEST_RUN';

/** How long a run may give no sign of life before it counts as stuck in a call that doesn't return, in seconds. */
const STUCK_AFTER = (2 * HANGS_AFTER) / 1000;

/** One run of tests: all that it mounts lies below its directory, and all that it starts carries its mark. */
export interface Run {
  readonly dir: string;
  /** Ends the run. Returns what its tests had left behind, one line each; it is gone by then. */
  end(): string[];
}

/**
 * Starts a run, with a guardian: a process that cleans up when this one ends in any way, also by SIGKILL.
 */
export async function startRun(): Promise<Run> {
  const dir = openToAll(mkdtempSync(join(tmpdir(), 'ramproc-test-')));
  // Whoever runs tests needs none of this any more.
  const { compile } = await import('./compile.ts');
  await compile(join(dir, COMPILED));
  // A name without the directory, which would make it one of those that it is to end.
  const guardian = spawn(process.execPath, ['guardian.js', dir, String(STUCK_AFTER)], {
    cwd: join(dir, COMPILED, 'test/support'),
    detached: true,
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  guardian.unref();
  return {
    dir,
    end() {
      guardian.kill('SIGKILL');
      const left = sweep(dir);
      rmSync(dir, { recursive: true, force: true });
      return left;
    },
  };
}

/** The directory of a run's with what compile.ts makes. */
const COMPILED = 'compiled';

/** The JavaScript of a TypeScript module of this project, such as a program to start. */
export function compiled(source: string): string {
  const dir = runDir();
  const run = basename(dir).startsWith(FILE) ? dirname(dir) : dir;
  const path = relative(join(import.meta.dirname, '../..'), source).replace(/\.ts$/, '.js');
  return join(run, COMPILED, path);
}

/** Makes this process one that runs tests of the run in `dir`. */
export function joinRun(dir: string): void {
  process.env[MARK] = dir;
}

/** How the directories of a run's files begin. */
const FILE = 'file-';

/** The same for one file of tests, which has a directory of its own in the run's: other files' tests run beside it. Returns it. */
export function joinRunWithFile(dir: string): string {
  joinRun(openToAll(mkdtempSync(join(dir, FILE))));
  return runDir();
}

/** The directories of the files of a run in `dir` whose tests run now. */
export function filesOf(dir: string): string[] {
  return readdirSync(dir)
    .filter((name) => name.startsWith(FILE))
    .map((name) => join(dir, name));
}

/** The directory of the run that this process belongs to. */
export function runDir(): string {
  const dir = process.env[MARK];
  if (dir === undefined) throw new Error('No test run was started; see test/support/run.ts.');
  return dir;
}

/** A new directory of this run, such as to mount on. */
export function makeDir(name: string): string {
  return openToAll(mkdtempSync(join(runDir(), `${name}-`)));
}

/** mkdtemp makes directories for their owner alone; tests act as other users too. */
function openToAll(dir: string): string {
  chmodSync(dir, 0o755);
  return dir;
}

/** Says that the run goes on: called by whatever runs tests, at least every STUCK_AFTER seconds. */
export function pulse(): void {
  const now = new Date();
  utimesSync(runDir(), now, now);
}

/** Whether there are processes of the run in `dir`. Who was killed may be in a call that ends later. */
export function isRunning(dir: string): boolean {
  return marked(dir).length > 0;
}

/** Ends the processes and detaches the mounts of the run in `dir`. Returns what there was, one line each. */
export function sweep(dir: string): string[] {
  const processes = marked(dir);
  for (const { pid } of processes) end(pid);
  const mounted = mounts().filter((mount) => mount.dir.startsWith(`${dir}/`));
  // A mount within another was made after it.
  for (const { dir: target } of mounted.toReversed()) umount2(target, MNT_DETACH);
  return [
    ...mounted.map((mount) => `${mount.type} mounted on ${mount.dir}`),
    ...processes.map(({ pid, command }) => `process ${pid}: ${command}`),
  ];
}

function end(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}

/** The processes that carry the mark of a run, or of a file of it, or name what is its own, but this one. */
function marked(dir: string): { pid: number; command: string }[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && pid !== process.pid)
    .filter(
      (pid) =>
        procFile(pid, 'environ').some((one) => `${one}/`.startsWith(`${MARK}=${dir}/`)) ||
        procFile(pid, 'cmdline').some((parameter) => parameter.includes(`${dir}/`)),
    )
    .map((pid) => ({ pid, command: procFile(pid, 'cmdline').join(' ').trim() }));
}

/** The NUL-ended strings of a file in /proc/PID; none of a process that has ended or isn't ours. */
function procFile(pid: number, name: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'latin1').split('\0');
  } catch {
    return [];
  }
}
