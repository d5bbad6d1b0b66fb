import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { until } from './hanging.ts';
import { makeDir } from './run.ts';

const sh = promisify(execFile);

/** Valkey, where scripts/valkey.sh has put it, or wherever it is found. */
const VALKEY = 'valkey-server';
const fetched = join(import.meta.dirname, '../../node_modules/.valkey/usr/bin', VALKEY);
const places = (process.env.PATH ?? '').split(':').map((dir) => join(dir, VALKEY));
export const valkeyServer = [fetched, ...places].find((file) => existsSync(file));

/** The engine of all tests that don't say another: `RAMPROC_ENGINE=valkey-server` has them use that. */
export const PROGRAM = process.env.RAMPROC_ENGINE === VALKEY ? (valkeyServer ?? VALKEY) : 'redis-server';

/** An engine of a test's own, with a directory of its own, on a socket in it. Disposing it ends it. */
export class Engine implements AsyncDisposable {
  readonly dir: string;
  readonly socket: string;
  readonly #program: string;
  readonly #parameters: readonly string[];
  #process: ChildProcess | undefined;

  /** Starts one with more lines of redis.conf, as parameters: `--maxmemory 10mb`. */
  static start(...parameters: readonly string[]): Promise<Engine> {
    return Engine.of(PROGRAM, ...parameters);
  }

  /** The same of another program. */
  static async of(program: string, ...parameters: readonly string[]): Promise<Engine> {
    const engine = new Engine(program, parameters);
    await engine.run();
    return engine;
  }

  private constructor(program: string, parameters: readonly string[]) {
    this.#program = program;
    this.dir = makeDir('engine');
    this.socket = join(this.dir, 'socket');
    this.#parameters = parameters;
  }

  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  get url(): string {
    return `unix://${this.socket}`;
  }

  /** Starts it, again if it has ended. Its data is gone then, unless it was told to keep it. */
  async run(): Promise<void> {
    const own = [
      '--port',
      '0',
      '--unixsocket',
      this.socket,
      '--dir',
      this.dir,
      '--save',
      '',
      '--daemonize',
      'no',
    ];
    this.#process = spawn(this.#program, [...own, ...this.#parameters.flatMap((line) => line.split(' '))], {
      stdio: 'ignore',
    });
    await until(
      () => this.cli('PING').then((said) => /PONG|NOAUTH/.test(said)),
      `The engine ${this.pid} does not answer.`,
    );
  }

  /** What redis-cli prints, also when that is an error. */
  async cli(...command: readonly string[]): Promise<string> {
    const said = await sh('redis-cli', ['-s', this.socket, ...command]).catch(
      (error: { stdout: string }) => error,
    );
    return said.stdout.trim();
  }

  /** Ends it by a signal, and waits until it has. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const running = this.#process;
    if (running === undefined) return;
    const ended = new Promise((end) => running.once('exit', end));
    if (running.exitCode === null && running.signalCode === null) {
      running.kill(signal);
      await ended;
    }
    this.#process = undefined;
  }

  /** Has it do nothing, or go on. */
  stop(isStopped: boolean): void {
    this.#process?.kill(isStopped ? 'SIGSTOP' : 'SIGCONT');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stop(false);
    await this.kill();
  }
}
