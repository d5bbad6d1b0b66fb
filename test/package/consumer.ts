import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inject } from 'vitest';
import { mountAt } from '../../src/sys/mountinfo.ts';
import { until } from '../support/hanging.ts';
import { type Ended, run } from '../support/mount.ts';
import { makeDir } from '../support/run.ts';

export const PROJECT = join(import.meta.dirname, '../..');

/** A program of the project's own tools. */
export const tool = (name: string) => join(PROJECT, 'node_modules/.bin', name);

/** A project of somebody's that has installed the package as it would be published. */
export interface Consumer {
  readonly dir: string;
  /** The package as packed. */
  readonly tarball: string;
  /** The package as installed. */
  readonly installed: string;
}

/** Installed once in a run of the tests, by whichever file needs it first. */
export async function consumer(): Promise<Consumer> {
  const dir = join(inject('runDir'), 'consumer');
  const tarball = join(dir, 'ramproc.tgz');
  const done = join(dir, 'done');
  while (!existsSync(done)) {
    if (isNew(dir)) await install(dir, tarball);
    // Who installs it takes it away when that fails, and then the next one tries.
    else await until(() => existsSync(done) || !existsSync(dir), `${dir} is not installed.`);
  }
  return { dir, tarball, installed: join(dir, 'node_modules/ramproc') };
}

/** Makes a directory, of those who try at once for one of them. */
function isNew(dir: string): boolean {
  try {
    mkdirSync(dir);
    return true;
  } catch (error) {
    if (existsSync(dir)) return false;
    throw error;
  }
}

async function install(dir: string, tarball: string): Promise<void> {
  try {
    writeFileSync(join(dir, 'package.json'), '{ "private": true, "type": "module" }\n');
    const { stdout } = await must(run('npm', 'pack', PROJECT, '--silent', '--pack-destination', dir));
    await must(run('mv', join(dir, stdout.trim()), tarball));
    const quietly = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', '--silent'];
    const packages = [tarball, 'typescript@5.4', '@types/node@20'];
    await must(
      run('env', ...inject('certificates'), 'npm', 'install', '--prefix', dir, ...quietly, ...packages),
    );
    leaveOutFuseNative(dir);
    writeFileSync(join(dir, 'done'), '');
  } catch (error) {
    rmSync(dir, { recursive: true, force: true });
    throw error;
  }
}

/** As npm does where it can't be built, on ARM and with musl: takes away what is optional, but not koffi's library. */
function leaveOutFuseNative(dir: string): void {
  const { packages } = JSON.parse(readFileSync(join(dir, 'package-lock.json'), 'utf8'));
  for (const [path, { optional }] of Object.entries<{ optional?: boolean }>(packages)) {
    if (optional && !path.includes('koffi')) rmSync(join(dir, path), { recursive: true, force: true });
  }
}

/** What ended well. Throws what it said when it didn't. */
export async function must(ended: Promise<Ended>): Promise<Ended> {
  const { status, stdout, stderr } = await ended;
  if (status !== 0) throw new Error(`It ended with status ${status}: ${stdout}${stderr}`);
  return { status, stdout, stderr };
}

/** A program that mounts, as somebody would start it. Disposing it interrupts it, as Ctrl-C does. */
export class Started implements AsyncDisposable {
  readonly dir: string;
  readonly process: ChildProcess;
  /** What it wrote so far. */
  said = '';
  readonly #ended: Promise<unknown[]>;

  /**
   * Runs a command, of which DIR stands for a new directory that belongs to `uid`. Resolves when something is mounted on it, or on
   * each of those in it that are named.
   */
  static async command(command: readonly string[], { uid = 0, below = ['.'] } = {}): Promise<Started> {
    const dir = makeDir('mounted');
    chownSync(dir, uid, uid);
    const [program = '', ...parameters] = command.map((word) => (word === 'DIR' ? dir : word));
    const started = new Started(program, parameters, dir);
    const isMounted = () => below.every((name) => mountAt(join(dir, name)) !== undefined);
    const what = command.join(' ');
    await until(() => isMounted() || started.process.exitCode !== null, `"${what}" has not mounted.`);
    if (!isMounted()) throw new Error(`"${what}" has not mounted: ${started.said}`);
    return started;
  }

  /** The same of a module, in this Node. */
  static node(path: string, ...parameters: readonly string[]): Promise<Started> {
    return Started.command([process.execPath, path, 'DIR', ...parameters]);
  }

  private constructor(program: string, parameters: readonly string[], dir: string) {
    this.dir = dir;
    this.process = spawn(program, parameters, { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.process.stdout, this.process.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.said += text;
      });
    }
    this.#ended = once(this.process, 'close');
  }

  /** Runs a shell in the directory. Returns all that it printed. */
  async sh(script: string): Promise<string> {
    const { stdout, stderr } = await run('sh', '-c', `cd "$1" && ${script}`, 'sh', this.dir);
    return stdout + stderr;
  }

  /** Waits for the end. Returns the exit status or the signal. */
  async ended(): Promise<unknown> {
    const [status, signal] = await this.#ended;
    return signal ?? status;
  }

  /** Sends a signal, and waits for the end. */
  end(signal: NodeJS.Signals = 'SIGINT'): Promise<unknown> {
    this.process.kill(signal);
    return this.ended();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
  }
}
