import { type ChildProcess, spawn } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import { expect } from 'vitest';
import { type Ended, run } from './mount.ts';

/** A mount namespace of its own, with a process in it: it has a copy of each mount that there is now. Disposing it ends it. */
export class Namespace implements AsyncDisposable {
  readonly #process: ChildProcess;

  static async start(): Promise<Namespace> {
    const namespace = new Namespace();
    const own = readlinkSync('/proc/self/ns/mnt');
    const exe = () => readlinkSync(`/proc/${namespace.pid}/exe`);
    await expect.poll(exe, { interval: 5 }).toMatch(/sleep|coreutils|busybox/);
    expect(readlinkSync(`/proc/${namespace.pid}/ns/mnt`)).not.toBe(own);
    return namespace;
  }

  private constructor() {
    this.#process = spawn('unshare', ['--mount', '--', 'sleep', '600'], { stdio: 'ignore' });
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /** Runs a program in it, as the user `uid`. */
  run(uid: number, program: string, ...parameters: readonly string[]): Promise<Ended> {
    const user = ['setpriv', '--reuid', `${uid}`, '--regid', `${uid}`, '--clear-groups'];
    return run('nsenter', '-m', '-t', `${this.pid}`, ...user, program, ...parameters);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = new Promise((end) => this.#process.once('exit', end));
    this.#process.kill('SIGKILL');
    await ended;
  }
}
