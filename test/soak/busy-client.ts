import { type ChildProcess, spawn } from 'node:child_process';
import { attempt } from '../../src/sys/processes.ts';
import { inTime } from '../support/hanging.ts';
import { as, type Way } from './ways.ts';

/** Programs that write and read the file of a mount over and over, until they are ended. */
export class BusyClient {
  readonly #process: ChildProcess;
  readonly #ended: Promise<unknown>;

  constructor(way: Way, dir: string) {
    const { program, before } = as(way);
    const work = 'while :; do echo text > "$FILE"; cat "$FILE"; done';
    this.#process = spawn(program, [...before, 'sh', '-c', work], {
      stdio: 'ignore',
      detached: true,
      env: { PATH: process.env.PATH, FILE: `${dir}/rust-proc-file` },
    });
    this.#ended = new Promise((ended) => this.#process.once('close', ended));
  }

  async end(): Promise<void> {
    const { pid } = this.#process;
    // The group of number 0 would be this process's own.
    if (pid !== undefined) attempt(() => process.kill(-pid, 'SIGKILL'));
    await inTime(this.#ended, 'a client hangs');
  }
}
