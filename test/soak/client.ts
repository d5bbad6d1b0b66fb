import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { compiled } from '../support/run.ts';
import type { Done, Task } from './client-process.ts';

/** A process that works on a region of a file and of its mirror. Disposing it ends it. */
export class Client implements AsyncDisposable {
  readonly #process: ChildProcess;
  readonly #ended: Promise<never>;

  constructor() {
    this.#process = fork(compiled(join(import.meta.dirname, 'client-process.ts')), { execArgv: [] });
    this.#ended = new Promise((_, ended) => {
      this.#process.once('exit', (status, signal) =>
        ended(new Error(`A client ended: ${signal ?? status}.`)),
      );
    });
    this.#ended.catch(() => {});
  }

  /** Works until time is up, or an answer is wrong. */
  play(task: Task): Promise<Done> {
    const done = new Promise<Done>((done) => this.#process.once('message', done));
    this.#process.send(task);
    return Promise.race([done, this.#ended]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#ended.catch(() => {});
  }
}
