import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { type ClientCalls, clientCalls } from './client-calls.ts';
import type { ClientReply, ClientRequest } from './client-process.ts';
import { compiled } from './run.ts';
import { withNextSeed } from './seed.ts';

/** The same calls, made by another process. */
type Remote<C> = {
  [N in keyof C]: C[N] extends (...args: infer A) => infer R ? (...args: A) => Promise<Awaited<R>> : never;
};

/** A process of its own that makes system calls when told to, one after the other. Disposing it ends it. */
export class Client implements AsyncDisposable {
  readonly uid: number;
  readonly pid: number;
  readonly sys: Remote<ClientCalls>;
  /** Resolves with the exit status or the signal that ended the process. */
  readonly ended: Promise<number | NodeJS.Signals>;
  readonly #process: ChildProcess;
  readonly #waiting = new Map<number, { resolve(answer: unknown): void; reject(error: Error): void }>();
  #last = 0;

  /** Starts a client that acts as the user `uid`. Resolves when it can make calls. */
  static async start(uid = 0): Promise<Client> {
    const client = new Client(uid);
    await client.sys.become(uid);
    return client;
  }

  private constructor(uid: number) {
    this.uid = uid;
    this.#process = fork(compiled(join(import.meta.dirname, 'client-process.ts')), {
      execArgv: [],
      serialization: 'advanced',
      env: withNextSeed(),
    });
    this.pid = this.#process.pid ?? 0;
    this.#process.on('message', ({ id, answer, exception }: ClientReply) => {
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (exception === undefined) waiting?.resolve(answer);
      else waiting?.reject(new Error(exception));
    });
    this.ended = new Promise((ended) => {
      this.#process.once('exit', (status, signal) => {
        const how = signal ?? status ?? 0;
        for (const { reject } of this.#waiting.values()) reject(new Error(`The client ended: ${how}.`));
        this.#waiting.clear();
        ended(how);
      });
    });
    const names = Object.keys(clientCalls) as (keyof ClientCalls)[];
    const remote = names.map((name) => [
      name,
      (...args: unknown[]) => this.#call({ id: ++this.#last, name, args }),
    ]);
    this.sys = Object.fromEntries(remote);
  }

  /** Whether it waits for something to do. */
  get idle(): boolean {
    return this.#process.connected && this.#waiting.size === 0;
  }

  #call(request: ClientRequest): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#waiting.set(request.id, { resolve, reject });
      this.#process.send(request, (error) => {
        if (error !== null) reject(error);
      });
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.ended;
  }
}

/** Clients that are used again: starting one takes a third of a second. Disposing it ends them. */
export class ClientPool implements AsyncDisposable {
  readonly #idle: Client[] = [];

  async take(uid: number): Promise<Client> {
    const index = this.#idle.findIndex((client) => client.uid === uid && client.idle);
    const [client] = index < 0 ? [] : this.#idle.splice(index, 1);
    return client ?? Client.start(uid);
  }

  /** Takes a client back. One that is still at work, or has ended, is of no more use. */
  async give(client: Client): Promise<void> {
    if (!client.idle) return client[Symbol.asyncDispose]();
    await client.sys.release();
    this.#idle.push(client);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#idle.map((client) => client[Symbol.asyncDispose]()));
  }
}
