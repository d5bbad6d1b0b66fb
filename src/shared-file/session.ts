import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { EBUSY, EFBIG, EINVAL, EIO, ENOSPC, ENXIO, Errno } from '../sys/errno.ts';
import { addressText, placeText } from './address.ts';
import type { Connection, Login } from './client.ts';
import { connectFor, isElsewhere } from './find.ts';
import { keyOf, LAYOUT, type Script } from './layout.ts';
import { setattr } from './lua/attributes.ts';
import { lockState, lockSwap } from './lua/locks.ts';
import { read } from './lua/read.ts';
import { fallocate, truncate } from './lua/resize.ts';
import { seek } from './lua/seek.ts';
import { beat, bye, hello, outcome } from './lua/session.ts';
import { copy, write } from './lua/write.ts';
import { writePages } from './lua/write-pages.ts';
import { whyNot } from './why-not.ts';
import { type Argument, EngineError, type Reply } from './wire.ts';

const scripts = [
  read,
  write,
  writePages,
  copy,
  truncate,
  fallocate,
  seek,
  setattr,
  lockState,
  lockSwap,
  hello,
  beat,
  bye,
  outcome,
];

/** Between two attempts to connect, in milliseconds. */
const PAUSE = 100;

/** How long a call waits for an engine that has been silent for a call's whole time, in milliseconds. */
const GRACE = 200;

/** How long an attempt to connect again may take, in milliseconds: of one that began while packets were lost nothing comes. */
const ATTEMPT = 1000;

/** How often a mount says that it is alive, and for how long it is taken for that, in milliseconds. */
const BEAT = 2500;
const LEASE = 10_000;

/** How many changes may be under way at once: the engine remembers the last 256. */
const CHANGES = 200;

/** What a file is made with when it isn't there. */
export interface Creation {
  /** In pages. */
  readonly max: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

export interface SessionOptions extends Login {
  /** The file's name in the engine. */
  readonly key: string;
  /** How long a call may take, in milliseconds. */
  readonly timeout: number;
  /** How many replicas must have a change before it is answered. */
  readonly replicas: number;
  /** Whether a file that is gone is made again, empty. */
  readonly recreate: boolean;
  /** Where it is mounted, for others who look. */
  readonly dir: string;
  /** Who and where this is, for others who look. */
  readonly who: Readonly<Record<string, unknown>>;
  /** What happens that a person should know, in one sentence. */
  readonly say: (sentence: string) => void;
}

/** Asks an engine for what a script says of the file. */
export type Ask = (script: Script, ...args: readonly (string | number)[]) => Promise<Reply>;

/** How a mount and its engine stand: times are those of performance.now(). */
export interface Standing {
  /** The connection that there is. */
  readonly connection: Connection | undefined;
  /** Since when there is one, or none. */
  readonly since: number;
  /** When the engine was heard last. */
  readonly heard: number;
  /** Whether the file isn't there any more. */
  readonly isGone: boolean;
  /** Why there is no connection, as far as it is known. */
  readonly trouble: string | undefined;
}

/** A call that waits for its answer. */
interface Pending {
  readonly deadline: number;
  readonly fail: (error: Error) => void;
}

/** A call's time is over. */
class Late extends Error {}

/** Too few replicas have a change: it isn't known whether it will last. */
class TooFew extends Error {}

/**
 * What one mount and an engine have with each other: a connection that is made anew when it is lost, and calls that end in time. What
 * was sent and not answered is sent again, with the same number, and so done once; an older connection's is refused by the
 * engine from the moment on that a new one has said hello.
 */
export class Session {
  readonly key: string;
  readonly id = randomBytes(9).toString('base64url');
  readonly #options: SessionOptions;
  readonly #pending = new Set<Pending>();
  readonly #channels = new Map<string, (message: string) => void>();
  #generation = '';
  #epoch = 0;
  #requests = 0;
  #changes = 0;
  readonly #queue: (() => void)[] = [];
  #link: { readonly main: Connection; readonly writes: Connection } | undefined;
  #linking: Promise<void> | undefined;
  #creation: Creation | undefined;
  #watch: NodeJS.Timeout | undefined;
  #beats: NodeJS.Timeout | undefined;
  #isClosed = false;
  /** Why the engine can't be asked, once that was said. */
  #trouble: string | undefined;
  #linkedAt = 0;
  #heard = 0;
  /** Since when nothing was heard of the engine, while it can't be asked. */
  #silentSince: number | undefined;
  /** What was said over this connection. */
  readonly #said = new Set<string>();
  /** Whether the file isn't there any more. */
  #isGone = false;
  /** Called when a new connection is there, before anything else is asked over it. */
  onHello: (ask: Ask) => Promise<void> = async () => {};
  /** Called when a new connection serves, with whether the file is another one. */
  onLink: () => void = () => {};
  /** Called when the connection is lost. */
  onLoss: () => void = () => {};

  constructor(options: SessionOptions) {
    this.#options = options;
    this.key = keyOf(options.key);
  }

  get standing(): Standing {
    return {
      connection: this.#link?.main,
      since: this.#link === undefined ? (this.#silentSince ?? this.#linkedAt) : this.#linkedAt,
      heard: this.#heard,
      isGone: this.#isGone,
      trouble: this.#trouble,
    };
  }

  /** Begins, and makes the file if it isn't there. Returns whether it was made. Throws what keeps it from beginning. */
  async begin(creation: Creation | undefined): Promise<boolean> {
    this.#creation = creation;
    const made = await this.#connect(true);
    this.#creation = this.#options.recreate ? creation : undefined;
    this.#watch = setInterval(() => this.#lookAtPending(), Math.max(10, this.#options.timeout / 50));
    this.#beats = setInterval(() => void this.#beat(), BEAT);
    this.#watch.unref();
    this.#beats.unref();
    return made;
  }

  /** Ends it: the engine forgets this mount. */
  async end(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearInterval(this.#beats);
    const link = this.#link;
    if (link !== undefined) {
      const told = link.main.send(evalsha(bye, this.key, [this.#generation, this.id])).catch(() => {});
      await Promise.race([told, sleep(500)]);
    }
    clearInterval(this.#watch);
    for (const one of this.#pending) one.fail(new Errno(EBUSY));
    this.#drop();
  }

  /** Has `heard` called with each message of one of the file's channels, from now on. */
  async listen(channel: string, heard: (message: string) => void): Promise<void> {
    this.#channels.set(channel, heard);
    await this.#link?.main.listen(`${this.key}:${channel}`, heard).catch(() => this.#drop());
  }

  /** Asks for what changes nothing that matters, so that it may be asked again. */
  query(script: Script, ...args: readonly (string | number)[]): Promise<Reply> {
    return this.#call(({ main }) => main.send(evalsha(script, this.key, [this.#generation, ...args])), EIO);
  }

  /** A plain command on the file's key. */
  command(name: string, ...args: readonly string[]): Promise<Reply> {
    return this.#call(({ main }) => main.send([name, this.key, ...args]), EIO);
  }

  /** Plain commands that change nothing, as one. */
  commands(all: readonly (readonly Argument[])[]): Promise<readonly Reply[]> {
    return this.#call(({ main }) => main.transact(all), EIO);
  }

  get generation(): string {
    return this.#generation;
  }

  /**
   * Changes the file, once. `check` is called before it is sent, and sent again, and may throw. With `between` the script runs twice, with
   * those commands between: it is told which, by a last argument `open` or `close`, and what it answers first counts, unless that is `open`.
   */
  async change(
    script: Script,
    args: readonly (string | number | Buffer)[],
    check: () => void = () => {},
    between?: readonly (readonly Argument[])[],
  ): Promise<string> {
    if (this.#changes >= CHANGES) await new Promise<void>((turn) => this.#queue.push(turn));
    this.#changes++;
    const request = ++this.#requests;
    let isAgain = false;
    try {
      const answer = await this.#call((link) => {
        check();
        const own = [this.#generation, this.id, this.#epoch, request];
        const all = [...own, ...args];
        const wasSent = isAgain;
        isAgain = true;
        const send = async ({ writes }: { writes: Connection }): Promise<Reply> => {
          if (between === undefined) return writes.send(evalsha(script, this.key, all));
          const [open, close] = ['open', 'close'].map((way) => evalsha(script, this.key, [...all, way]));
          const answers = await writes.transact([open ?? [], ...between, close ?? []]);
          return String(answers[0]) === 'open' ? (answers.at(-1) ?? null) : (answers[0] ?? null);
        };
        if (!wasSent) return this.#send(link, send);
        // An engine that is full by now doesn't look whether it was done before.
        return this.#send(link, (to) =>
          send(to).catch(async (error: unknown) => {
            if (!(error instanceof EngineError && error.code === 'OOM')) throw error;
            const before = await to.writes.send(evalsha(outcome, this.key, own));
            if (before === null) throw error;
            return before;
          }),
        );
      }, 'ETIMEDOUT');
      return String(answer);
    } finally {
      this.#changes--;
      this.#queue.shift()?.();
    }
  }

  /** With replicas, a change is done when so many have it. */
  async #send(
    link: { writes: Connection },
    send: (link: { writes: Connection }) => Promise<Reply>,
  ): Promise<Reply> {
    const { replicas, timeout } = this.#options;
    if (replicas === 0) return send(link);
    const answer = send(link);
    const waited = link.writes.send(['WAIT', String(replicas), String(timeout)]);
    waited.catch(() => {});
    const result = await answer;
    if (Number(await waited) < replicas) throw new TooFew();
    return result;
  }

  /** Makes a call until it is answered or its time is over: then, when it was sent, `unknown` is the answer. */
  async #call<T extends Reply>(
    send: (link: { main: Connection; writes: Connection }) => Promise<T>,
    unknown: number | 'ETIMEDOUT',
  ): Promise<T> {
    const deadline = this.#deadline();
    let wasSent = false;
    for (;;) {
      // As of every file whose data was taken.
      if (this.#isClosed) throw new Errno(EBUSY);
      if (this.#isGone) throw new Errno(EIO);
      try {
        const link = this.#link ?? (await this.#before(deadline, this.#linked()));
        if (link === undefined) continue;
        wasSent = true;
        return await this.#before(deadline, send(link));
      } catch (error) {
        if (error instanceof Errno) throw error;
        if (error instanceof TooFew) throw new Errno(unknown);
        if (error instanceof Late) {
          this.#silentSince ??= deadline - this.#options.timeout;
          if (this.#link !== undefined && wasSent) this.#drop();
          this.#inTrouble('it does not answer');
          throw wasSent ? new Errno(unknown) : new Errno(EIO);
        }
        this.#understand(error);
      }
    }
  }

  /** Throws the Errno that an answer means, or lets go of the connection: the call is to be made again over another. */
  #understand(error: unknown): void {
    if (error instanceof EngineError && error.code === 'RAMPROC') this.#refused(error.rest);
    else if (error instanceof EngineError && !isElsewhere(error)) {
      if (error.code === 'OOM') {
        this.#sayOnce(
          `${this.#what} is full: it has no more memory; raise its maxmemory, or make the file shorter.`,
        );
        throw new Errno(ENOSPC);
      }
      this.#sayOnce(`${this.#what} refuses a call on ${this.key}: ${error.message}.`);
      throw new Errno(EIO);
    }
    this.#drop(error);
  }

  #refused(why: string): void {
    const [word = '', detail = ''] = why.split(' ');
    switch (word) {
      case 'ENOSPC':
        throw new Errno(ENOSPC);
      case 'EFBIG':
        throw new Errno(EFBIG);
      case 'ENXIO':
        throw new Errno(ENXIO);
      case 'EINVAL':
        throw new Errno(EINVAL);
      case 'STALE':
        return;
      case 'GONE':
        // The next hello finds out.
        return;
      case 'BROKEN':
        this.#sayOnce(
          `${this.#what} has lost a part of ${this.key}, the MiB number ${detail}, or it isn't ramproc's: calls on it are EIO.`,
        );
        throw new Errno(EIO);
      default:
        throw new Errno(EIO);
    }
  }

  /**
   * When the time of a call is over that begins now. While the engine is silent it counts from when that began: the kernel makes one call
   * after the other where they append, and the last would wait for each.
   */
  #deadline(): number {
    const now = performance.now();
    const { timeout } = this.#options;
    if (this.#silentSince === undefined) return now + timeout;
    return Math.min(now + timeout, Math.max(now + GRACE, this.#silentSince + timeout));
  }

  /** `work`, or Late when the time is over. */
  #before<T>(deadline: number, work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const pending = { deadline, fail: reject };
      this.#pending.add(pending);
      work.then(
        (value) => {
          this.#pending.delete(pending);
          resolve(value);
        },
        (error: unknown) => {
          this.#pending.delete(pending);
          reject(error);
        },
      );
    });
  }

  /** One that was sent again stands behind younger ones. */
  #lookAtPending(): void {
    const now = performance.now();
    for (const one of this.#pending) {
      if (one.deadline > now) continue;
      this.#pending.delete(one);
      one.fail(new Late());
    }
  }

  async #linked(): Promise<undefined | { main: Connection; writes: Connection }> {
    this.#linking ??= this.#reconnect().finally(() => {
      this.#linking = undefined;
    });
    await this.#linking;
    return this.#link;
  }

  /** Until there is a connection, or the file is known to be gone. */
  async #reconnect(): Promise<void> {
    while (!this.#isClosed) {
      try {
        await this.#connect(false);
        return;
      } catch (error) {
        if (error instanceof EngineError && error.code === 'RAMPROC') return this.#lost(error.rest);
        this.#inTrouble(whyNot(error));
        await sleep(PAUSE);
      }
    }
  }

  /** Connects, and says hello. Returns whether the file was made by that. */
  async #connect(isFirst: boolean): Promise<boolean> {
    const { replicas, recreate } = this.#options;
    const timeout = isFirst ? this.#options.timeout : Math.min(this.#options.timeout, ATTEMPT);
    const main = await connectFor(this.#options, this.key, timeout);
    let writes = main;
    try {
      if (replicas > 0) writes = await connectFor(this.#options, this.key, timeout);
      const giveUp = setTimeout(() => main.destroy(), timeout);
      try {
        await Promise.all(scripts.map(({ text }) => main.send(['SCRIPT', 'LOAD', text])));
        const { max, mode, uid, gid } = this.#creation ?? { max: 0, mode: 0, uid: 0, gid: 0 };
        const fresh = this.#creation === undefined ? '' : `${LAYOUT}:${randomBytes(12).toString('hex')}`;
        const answer = await main.send(
          evalsha(hello, this.key, [
            this.#generation,
            this.id,
            this.#epoch + 1,
            LEASE,
            JSON.stringify({ ...this.#options.who, dir: this.#options.dir }),
            fresh,
            max,
            mode,
            uid,
            gid,
            isFirst || recreate ? 1 : 0,
            LAYOUT,
          ]),
        );
        const [generation, made] = Array.isArray(answer) ? answer : [];
        for (const [channel, heard] of this.#channels) await main.listen(`${this.key}:${channel}`, heard);
        this.#epoch++;
        const isAnother = this.#generation !== '' && String(generation) !== this.#generation;
        this.#generation = String(generation);
        await this.onHello((script, ...args) =>
          main.send(evalsha(script, this.key, [this.#generation, ...args])),
        );
        this.#link = { main, writes };
        this.#linkedAt = this.#heard = performance.now();
        this.#isGone = false;
        this.#silentSince = undefined;
        this.#said.clear();
        for (const one of new Set([main, writes])) void one.closed.then((error) => this.#closed(main, error));
        if (isAnother)
          this.#options.say(
            `${this.#what} had lost ${this.key}; it is there again, empty, as --recreate asks.`,
          );
        if (this.#trouble !== undefined) this.#options.say(`${this.#what} answers again.`);
        this.#trouble = undefined;
        if (!isFirst) this.onLink();
        return made === 1;
      } finally {
        clearTimeout(giveUp);
      }
    } catch (error) {
      main.destroy();
      writes.destroy();
      throw error;
    }
  }

  #closed(main: Connection, error: Error): void {
    if (this.#link?.main === main) this.#drop(error);
  }

  /** Lets go of the connection. What was sent on it and not answered fails, and is sent on the next. */
  #drop(why?: unknown): void {
    const link = this.#link;
    if (link === undefined) return;
    this.#link = undefined;
    this.#silentSince ??= performance.now();
    link.main.destroy();
    link.writes.destroy();
    if (this.#isClosed) return;
    if (why instanceof EngineError && why.code !== 'RAMPROC') this.#inTrouble(why.message);
    this.onLoss();
    void this.#linked();
  }

  #lost(why: string): void {
    if (!this.#isGone) {
      const how = why.startsWith('GONE')
        ? 'has lost it, or has another in its place'
        : 'has something else under its name';
      this.#options.say(
        `${this.key} is gone: ${this.#what} ${how}; calls are EIO until it is unmounted, or mounted with --recreate.`,
      );
    }
    this.#isGone = true;
  }

  #inTrouble(why: string): void {
    const wasSaid = this.#trouble !== undefined;
    this.#trouble = why;
    if (wasSaid || this.#isClosed) return;
    this.#options.say(
      `${this.#what} cannot be asked (${why}); calls end in EIO or ETIMEDOUT until it is back.`,
    );
  }

  async #beat(): Promise<void> {
    if (this.#isGone) {
      await this.#linked();
      return;
    }
    if (this.#link === undefined) return;
    const who = JSON.stringify({ ...this.#options.who, dir: this.#options.dir });
    const beating = this.#call(
      ({ main }) => main.send(evalsha(beat, this.key, [this.#generation, this.id, this.#epoch, LEASE, who])),
      EIO,
    );
    await beating.then(
      () => {
        this.#heard = performance.now();
      },
      () => {},
    );
  }

  /** What many calls may run into. */
  #sayOnce(sentence: string): void {
    if (this.#said.has(sentence)) return;
    this.#said.add(sentence);
    this.#options.say(sentence);
  }

  /** The engine, for people. */
  get #what(): string {
    const at = this.#link?.main.place;
    const text = addressText(this.#options.address);
    return `The engine at ${at === undefined || this.#options.address.kind === 'single' ? text : `${text} (${placeText(at)})`}`;
  }
}

function evalsha({ sha }: Script, key: string, args: readonly (string | number | Buffer)[]): Argument[] {
  return ['EVALSHA', sha, '1', key, ...args.map((arg) => (typeof arg === 'number' ? String(arg) : arg))];
}
