import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Order, Reply } from './mount-program.ts';
import { compiled } from './run.ts';

/** A program that mounts and unmounts through the library when it is told to. Disposing it kills it. */
export class MountProgram implements AsyncDisposable {
  readonly #process: ChildProcess;
  readonly #ended: Promise<unknown>;

  static async start(transport: string): Promise<MountProgram> {
    const program = new MountProgram(transport);
    await once(program.#process, 'message');
    return program;
  }

  private constructor(transport: string) {
    this.#process = fork(compiled(join(import.meta.dirname, 'mount-program.ts')), [transport], {
      execArgv: [],
    });
    this.#ended = once(this.#process, 'exit');
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /** Tells it something, and resolves with what that led to. */
  async do(order: Order): Promise<Reply> {
    const reply = once(this.#process, 'message');
    this.#process.send(order);
    const [answer] = await reply;
    // JSON has no undefined.
    return { error: undefined, dir: undefined, ...answer };
  }

  /** Tells it something to which it will not reply. */
  tell(order: Order): void {
    this.#process.send(order);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#ended;
  }
}
