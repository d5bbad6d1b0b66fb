import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { MNT_DETACH, umount2 } from '../../src/sys/mount.ts';
import { mountAt } from '../../src/sys/mountinfo.ts';
import { until } from './hanging.ts';
import { makeDir, runDir } from './run.ts';
import { withUring } from './uring.ts';

/** The executable. */
export const COMMAND = join(import.meta.dirname, '../../bin/ramproc.js');

/** How a command ended. */
export interface Ended {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program, with the run's mark, and waits for its end. */
export async function run(program: string, ...parameters: readonly string[]): Promise<Ended> {
  // Some tests start commands before their run's mark would be missed.
  runDir();
  try {
    const { stdout, stderr } = await promisify(execFile)(program, [...parameters], { encoding: 'utf8' });
    return { status: 0, stdout, stderr };
  } catch (error) {
    if (!(error instanceof Error && 'stdout' in error && 'stderr' in error && 'code' in error)) throw error;
    if (typeof error.code !== 'number') throw error;
    return { status: error.code, stdout: String(error.stdout), stderr: String(error.stderr) };
  }
}

/** Runs the command `ramproc`. What mounts over io_uring is offered that. */
export function ramproc(...parameters: readonly string[]): Promise<Ended> {
  const running = () => run(process.execPath, COMMAND, ...parameters);
  return parameters[0] === 'mount' && parameters.includes('uring') ? withUring(running) : running();
}

/** Whether a process runs: one that init hasn't taken note of yet (a zombie) doesn't. */
export function runs(pid: number): boolean {
  try {
    // The name in parentheses may contain anything. Source: proc_pid_stat(5).
    return !/^.*\) Z/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

/** A mount that the command made, in the background. Disposing it unmounts, and waits for its daemon's end. */
export class Mount implements AsyncDisposable {
  readonly dir: string;
  /** The path of the RAM file. */
  readonly file: string;
  /** The daemon. */
  readonly pid: number;

  constructor({ dir, file, pid }: { dir: string; file: string; pid: number }) {
    this.dir = dir;
    this.file = file;
    this.pid = pid;
  }

  /** Resolves when the daemon has ended. Throws when it goes on. */
  ended(): Promise<void> {
    return until(() => !runs(this.pid), `The daemon ${this.pid} goes on after ${this.dir} was unmounted.`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (mountAt(this.dir) !== undefined) umount2(this.dir, MNT_DETACH);
    await this.ended();
  }
}

/** Mounts on a directory, by default a new one, with options of `ramproc mount`. Throws what the command says. */
export async function mount(options: readonly string[] = [], dir = makeDir('mount')): Promise<Mount> {
  const { status, stdout, stderr } = await ramproc('mount', dir, '--json', ...options);
  if (status !== 0) throw new Error(`"ramproc mount" ended with status ${status}: ${stderr.trim()}`);
  return new Mount(JSON.parse(stdout));
}

/**
 * Reads a mount's file until a worker serves it, which is there once there is more to do than to read a small file: until then its daemon
 * has fewer threads, descriptors and less memory. libfuse has none.
 */
export async function untilWorkerServes({ dir, file }: Mount): Promise<void> {
  const isServed = async () => {
    for (let i = 0; i < 50; i++) readFileSync(file);
    const { threads, transport } = JSON.parse((await ramproc('stats', dir, '--json')).stdout);
    const serves = ({ name, requests }: { name: string; requests: number }) =>
      name.startsWith('worker') && requests > 0;
    return transport === 'libfuse' || threads.some(serves);
  };
  await until(isServed, `No worker serves ${dir}.`);
}
