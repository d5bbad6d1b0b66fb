import { constants } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { type Answer, must } from '../support/answer.ts';
import type { Calls, Stat } from '../support/calls/index.ts';
import type { Client, ClientPool } from '../support/client.ts';
import { type Ended, run } from '../support/mount.ts';
import { show, traced } from '../support/trace.ts';
import { tracked } from '../support/tracked.ts';
import { spread, spreadClient, spreadWords } from './spread.ts';
import type { Place } from './target.ts';

/** An answer that isn't the one expected. */
export class Mismatch extends Error {
  readonly got: string;

  constructor(got: string, expected: string, trace: readonly string[]) {
    super(`got ${got}, expected ${expected}, after\n${trace.map((line) => `    ${line}`).join('\n')}`);
    this.got = got;
  }
}

/** Timestamps have the grain of the kernel's tick, 10 ms at most. */
export const TICK = 11;

/** What a case has to work with: the file, and system calls that are written down. */
export class Scene implements AsyncDisposable {
  /** Calls of this process. */
  readonly sys: Calls;
  readonly dir: string;
  readonly file: string;
  readonly place: Place;
  readonly #trace: string[] = [];
  readonly #mine = tracked();
  readonly #clients: ClientPool;
  readonly #taken: Client[] = [];

  constructor(place: Place, clients: ClientPool) {
    this.place = place;
    this.dir = place.dir;
    this.file = place.file;
    this.#clients = clients;
    const { files } = place;
    const calls = files === undefined ? this.#mine.calls : spread(this.#mine.calls, files);
    this.sys = traced(calls, (line) => this.#trace.push(line));
  }

  /** Opens the file, which must succeed. */
  readonly open = (flags: number = constants.O_RDWR): number => must(this.sys.open(this.file, flags));

  /** What stat(2) says of the file, which must succeed. */
  readonly stat = (): Stat => must(this.sys.stat(this.file));

  /** Compares an answer. Bytes may be expected as text in Latin-1. Throws Mismatch. */
  readonly expect = (got: Answer<unknown>, expected: unknown): void => {
    const wanted =
      got instanceof Uint8Array && typeof expected === 'string' ? Buffer.from(expected, 'latin1') : expected;
    if (!isDeepStrictEqual(got, wanted)) throw new Mismatch(show(got), show(wanted), this.#trace);
  };

  /** The address of a mapping, which must be there: touching any other would end this process. Throws Mismatch. */
  readonly mapped = (address: Answer<number>): number => {
    if (typeof address !== 'number') throw new Mismatch(show(address), 'an address', this.#trace);
    return address;
  };

  /** Which of the file's times a call moves. */
  readonly moved = async (call: () => unknown): Promise<string> => {
    const before = this.stat();
    await sleep(TICK);
    await call();
    const after = this.stat();
    return (['atime', 'mtime', 'ctime'] as const).filter((time) => after[time] > before[time]).join(' ');
  };

  /** Another process that makes calls, as the user `uid`. */
  readonly client = async (uid = 0): Promise<Client['sys']> => {
    const client = await this.#clients.take(uid);
    this.#taken.push(client);
    const name = `[process ${this.#taken.length}] `;
    const { files } = this.place;
    const calls = files === undefined ? client.sys : spreadClient(client.sys, files);
    return traced(calls, (line) => this.#trace.push(name + line));
  };

  /** Runs a program, and writes down how it ended. */
  readonly run = async (program: string, ...parameters: string[]): Promise<Ended> => {
    const { files } = this.place;
    const ended = await run(program, ...(files === undefined ? parameters : spreadWords(parameters, files)));
    this.#trace.push(`${program} ${parameters.join(' ')} = ${show(ended)}`);
    return ended;
  };

  /** What a line of bash prints; with its status and standard error, when it failed. */
  readonly sh = async (line: string): Promise<string> => {
    const { status, stdout, stderr } = await this.run('bash', '-c', line);
    return status === 0 ? stdout : `${stdout}[status ${status}] ${stderr}`;
  };

  async [Symbol.asyncDispose](): Promise<void> {
    this.#mine.release();
    await Promise.all(this.#taken.map((client) => this.#clients.give(client)));
  }
}
