import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { COMMAND } from './mount.ts';
import { NOBODY } from './nobody.ts';
import { runDir } from './run.ts';

/** How a program ended: its exit status, or the signal that ended it, and what it said. */
export interface End {
  readonly how: number | NodeJS.Signals;
  readonly stdout: string;
  readonly stderr: string;
}

/** A program that runs, and can be told to end meanwhile. */
export class Started {
  /** 0 when it could not be started, of which `ended` tells. */
  readonly pid: number;
  readonly ended: Promise<End>;
  readonly stdin: ChildProcess['stdin'];
  stdout = '';
  stderr = '';

  constructor(program: string, parameters: readonly string[], options: SpawnOptions = {}) {
    // Some tests start commands before their run's mark would be missed.
    runDir();
    const child = spawn(program, parameters, { stdio: 'pipe', ...options });
    this.pid = child.pid ?? 0;
    this.stdin = child.stdin;
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    this.ended = new Promise((ended, failed) => {
      child.once('error', failed);
      child.once('close', (status, signal) => {
        ended({ how: signal ?? status ?? 0, stdout: this.stdout, stderr: this.stderr });
      });
    });
  }

  kill(signal: NodeJS.Signals | number): void {
    // Else it would be to this process's own group.
    if (this.pid > 0) process.kill(this.pid, signal);
  }
}

/** Starts the command `ramproc`. */
export function startRamproc(...parameters: readonly string[]): Started {
  return new Started(process.execPath, [COMMAND, ...parameters]);
}

/** Starts the command `ramproc` as nobody. */
export function startRamprocAsNobody(...parameters: readonly string[]): Started {
  const user = ['--reuid', `${NOBODY}`, '--regid', `${NOBODY}`, '--clear-groups'];
  return new Started('setpriv', [...user, process.execPath, COMMAND, ...parameters]);
}
