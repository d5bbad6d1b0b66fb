import { type ChildProcess, fork } from 'node:child_process';
import { MNT_DETACH, umount2 } from '../../src/sys/mount.ts';
import { mountAt } from '../../src/sys/mountinfo.ts';
import { compiled, makeDir } from './run.ts';

/**
 * A program that mounts a tree with handlers of its own, in a process of its own. The module gets the directory as its
 * first argument, and sends a message when it has mounted. Disposing it unmounts, and ends it if that doesn't.
 */
export class Program implements AsyncDisposable {
  readonly dir: string;
  readonly pid: number;
  /** Resolves with the exit status or the signal that ended the process. */
  readonly ended: Promise<number | NodeJS.Signals>;
  readonly #process: ChildProcess;
  #said = '';

  /** Starts the TypeScript module at `path`. Resolves when it has mounted; throws what it said when it hasn't. */
  static async start(path: string, ...parameters: readonly string[]): Promise<Program> {
    const program = new Program(path, parameters);
    const mounted = new Promise((resolve) => program.#process.once('message', resolve));
    const failed = program.ended.then((how) => {
      throw new Error(`${path} ended (${how}) before it had mounted: ${program.said}`);
    });
    await Promise.race([mounted, failed]);
    failed.catch(() => {});
    return program;
  }

  private constructor(path: string, parameters: readonly string[]) {
    this.dir = makeDir('program');
    this.#process = fork(compiled(path), [this.dir, ...parameters], {
      execArgv: ['--max-old-space-size=64'],
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
    });
    this.pid = this.#process.pid ?? 0;
    this.#process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#said += text;
    });
    this.ended = new Promise((ended) => {
      this.#process.once('close', (status, signal) => ended(signal ?? status ?? 0));
    });
  }

  /** What it wrote to standard error so far. */
  get said(): string {
    return this.#said;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (mountAt(this.dir) !== undefined) umount2(this.dir, MNT_DETACH);
    const late = setTimeout(() => this.#process.kill('SIGKILL'), 2000);
    await this.ended;
    clearTimeout(late);
  }
}
