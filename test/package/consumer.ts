import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { mountAt } from '../../src/sys/mountinfo.ts';
import { until } from '../support/hanging.ts';
import { type Ended, run } from '../support/mount.ts';
import { makeDir, runDir } from '../support/run.ts';

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

/** Installed once in a run of the tests, whose files of this directory come one after the other. */
export async function consumer(): Promise<Consumer> {
  const dir = join(runDir(), 'consumer');
  const tarball = join(dir, 'ramproc.tgz');
  const done = join(dir, 'done');
  if (!existsSync(done)) {
    rmSync(dir, { recursive: true, force: true });
    mkdirSync(dir);
    writeFileSync(join(dir, 'package.json'), '{ "private": true }\n');
    const { stdout } = await must(run('npm', 'pack', PROJECT, '--silent', '--pack-destination', dir));
    await must(run('mv', join(dir, stdout.trim()), tarball));
    const quietly = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', '--silent'];
    const packages = [tarball, 'typescript@5.4', '@types/node@20'];
    await must(run('npm', 'install', '--prefix', dir, ...quietly, ...packages));
    leaveOutFuseNative(dir);
    writeFileSync(done, '');
  }
  return { dir, tarball, installed: join(dir, 'node_modules/ramproc') };
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

/** A program that mounts, in JavaScript as somebody would start it. Disposing it interrupts it, as Ctrl-C does. */
export class Started implements AsyncDisposable {
  readonly dir: string;
  readonly process: ChildProcess;
  /** What it wrote so far. */
  said = '';
  readonly #ended: Promise<unknown[]>;

  /** Runs `node` with `parameters`, of which the last is a new directory. Resolves when the program has mounted on it. */
  static async node(...parameters: readonly string[]): Promise<Started> {
    const dir = makeDir('mounted');
    const started = new Started(process.execPath, [...parameters, dir], dir);
    await until(
      () => mountAt(dir) !== undefined || started.process.exitCode !== null,
      `${parameters.join(' ')} has not mounted.`,
    );
    if (mountAt(dir) === undefined)
      throw new Error(`${parameters.join(' ')} has not mounted: ${started.said}`);
    return started;
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

  /** Sends a signal, and waits for the end. Returns the exit status or the signal. */
  async end(signal: NodeJS.Signals = 'SIGINT'): Promise<unknown> {
    this.process.kill(signal);
    const [status, by] = await this.#ended;
    return by ?? status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
  }
}
