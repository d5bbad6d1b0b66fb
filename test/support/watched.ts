import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Engine, PROGRAM } from './engine.ts';
import { freePort } from './free-port.ts';
import { until } from './hanging.ts';
import { run } from './mount.ts';
import { makeDir } from './run.ts';

/** An engine, its replica, and a sentinel that has the one take the other's place. Disposing it ends them. */
export class Watched implements AsyncDisposable {
  readonly #engines = new Map<number, Engine>();
  #sentinel: ChildProcess | undefined;
  #port = 0;

  static async start(): Promise<Watched> {
    const watched = new Watched();
    try {
      const [first, second] = [await freePort(), await freePort()];
      await watched.#add(first);
      await watched.#add(second, first);
      await watched.#watch(first);
      await watched.synced();
      return watched;
    } catch (error) {
      await watched[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Where the sentinel is. */
  get at(): string {
    return `127.0.0.1:${this.#port}`;
  }

  get url(): string {
    return `redis-sentinel://${this.at}/shared`;
  }

  /** Has the sentinel do nothing from now on. */
  stop(): void {
    this.#sentinel?.kill('SIGSTOP');
  }

  /** The port of what the sentinel takes for the primary, or 0. */
  async primary(): Promise<number> {
    const said = await this.#ask('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', 'shared');
    return Number(said.split('\n')[1] ?? 0);
  }

  /** Kills the primary. Returns its port once the other is one. */
  async kill(): Promise<number> {
    const down = await this.primary();
    await this.#engines.get(down)?.kill();
    await until(async () => ![down, 0].includes(await this.primary()), 'No other is made the primary.');
    const up = this.#engines.get(await this.primary());
    await until(
      async () => /role:master/.test((await up?.cli('INFO', 'replication')) ?? ''),
      'It is no primary.',
    );
    return down;
  }

  /** Has what was killed come back, as a replica, and catch up. */
  async revive(port: number): Promise<void> {
    await this.#engines.get(port)?.[Symbol.asyncDispose]();
    await this.#add(port, await this.primary());
    await this.synced();
  }

  /** The replica has what the primary has, and both the sentinel and the primary know of it. */
  async synced(): Promise<void> {
    const primary = this.#engines.get(await this.primary());
    await until(
      async () => /slave0:.*state=online/.test((await primary?.cli('INFO', 'replication')) ?? ''),
      'The replica does not catch up.',
    );
    await until(
      async () => /flags\nslave\n/.test(await this.#ask('SENTINEL', 'REPLICAS', 'shared')),
      'The sentinel does not know the replica.',
    );
  }

  async #add(port: number, of?: number): Promise<void> {
    const replica = of === undefined ? [] : [`--replicaof 127.0.0.1 ${of}`];
    const own = `--port ${port} --bind 127.0.0.1 --repl-diskless-sync-delay 0`;
    this.#engines.set(port, await Engine.start(own, ...replica));
  }

  async #watch(primary: number): Promise<void> {
    this.#port = await freePort();
    const dir = makeDir('sentinel');
    const lines = [
      ...[`port ${this.#port}`, 'bind 127.0.0.1'],
      `sentinel monitor shared 127.0.0.1 ${primary} 1`,
      ...['sentinel down-after-milliseconds shared 300', 'sentinel failover-timeout shared 2000'],
    ];
    const file = join(dir, 'sentinel.conf');
    writeFileSync(file, `${lines.join('\n')}\n`);
    this.#sentinel = spawn(PROGRAM, [file, '--sentinel'], { stdio: 'ignore', cwd: dir });
    await until(async () => (await this.primary()) === primary, 'The sentinel knows no primary.');
  }

  async #ask(...words: string[]): Promise<string> {
    return (await run('redis-cli', '-p', `${this.#port}`, ...words)).stdout.trim();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#sentinel?.kill('SIGKILL');
    for (const engine of this.#engines.values()) await engine[Symbol.asyncDispose]();
  }
}
