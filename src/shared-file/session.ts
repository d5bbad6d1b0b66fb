import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { EBUSY, EIO, Errno } from '../sys/errno.ts';
import type { Connection } from './client.ts';
import { Complaints } from './complaints.ts';
import { Deadlines, Late } from './deadlines.ts';
import { keyOf, LAYOUT, type Script } from './layout.ts';
import { evalsha, type Link, openLink } from './link.ts';
import { setattr } from './lua/attributes.ts';
import { lockState, lockSwap } from './lua/locks.ts';
import { read } from './lua/read.ts';
import { fallocate, truncate } from './lua/resize.ts';
import { seek } from './lua/seek.ts';
import { beat, bye, hello, outcome } from './lua/session.ts';
import { copy, write } from './lua/write.ts';
import { writePages } from './lua/write-pages.ts';
import { refusal } from './refusal.ts';
import type { Creation, SessionOptions, Standing } from './session-contract.ts';
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

/** Asks an engine for what a script says of the file. */
export type Ask = (script: Script, ...args: readonly (string | number)[]) => Promise<Reply>;

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
  readonly #complaints: Complaints;
  readonly #deadlines = new Deadlines();
  readonly #channels = new Map<string, (message: string) => void>();
  #generation = '';
  #epoch = 0;
  #requests = 0;
  #changes = 0;
  readonly #queue: (() => void)[] = [];
  #link: Link | undefined;
  #linking: Promise<void> | undefined;
  #creation: Creation | undefined;
  #beats: NodeJS.Timeout | undefined;
  #isClosed = false;
  #linkedAt = 0;
  #heard = 0;
  /** Since when nothing was heard of the engine, while it can't be asked. */
  #silentSince: number | undefined;
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
    this.#complaints = new Complaints(options.say, this.key, options.address, () => this.#link?.main.place);
  }

  get standing(): Standing {
    return {
      connection: this.#link?.main,
      since: this.#link === undefined ? (this.#silentSince ?? this.#linkedAt) : this.#linkedAt,
      heard: this.#heard,
      isGone: this.#isGone,
      trouble: this.#complaints.trouble,
    };
  }

  /** Begins, and makes the file if it isn't there. Returns whether it was made. Throws what keeps it from beginning. */
  async begin(creation: Creation | undefined): Promise<boolean> {
    this.#creation = creation;
    const made = await this.#connect(true);
    this.#creation = this.#options.recreate ? creation : undefined;
    this.#deadlines.start(this.#options.timeout);
    this.#beats = setInterval(() => void this.#beat(), BEAT).unref();
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
    this.#deadlines.end(new Errno(EBUSY));
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
        const changed = this.#changed(link, script, [...own, ...args], between);
        const wasSent = isAgain;
        isAgain = true;
        return this.#replicated(link, wasSent ? this.#orAsBefore(link, changed, own) : changed);
      }, 'ETIMEDOUT');
      return String(answer);
    } finally {
      this.#changes--;
      this.#queue.shift()?.();
    }
  }

  async #changed(
    { writes }: Link,
    script: Script,
    args: readonly (string | number | Buffer)[],
    between: readonly (readonly Argument[])[] | undefined,
  ): Promise<Reply> {
    if (between === undefined) return writes.send(evalsha(script, this.key, args));
    const [open, close] = ['open', 'close'].map((way) => evalsha(script, this.key, [...args, way]));
    const answers = await writes.transact([open ?? [], ...between, close ?? []]);
    return String(answers[0]) === 'open' ? (answers.at(-1) ?? null) : (answers[0] ?? null);
  }

  /** What was sent before: an engine that is full by now doesn't look whether it was done. */
  async #orAsBefore(
    { writes }: Link,
    changed: Promise<Reply>,
    own: readonly (string | number)[],
  ): Promise<Reply> {
    try {
      return await changed;
    } catch (error) {
      if (!(error instanceof EngineError && error.code === 'OOM')) throw error;
      const before = await writes.send(evalsha(outcome, this.key, own));
      if (before === null) throw error;
      return before;
    }
  }

  /** With replicas, a change is done when so many have it. */
  async #replicated({ writes }: Link, change: Promise<Reply>): Promise<Reply> {
    const { replicas, timeout } = this.#options;
    if (replicas === 0) return change;
    const waited = writes.send(['WAIT', String(replicas), String(timeout)]);
    waited.catch(() => {});
    const result = await change;
    if (Number(await waited) < replicas) throw new TooFew();
    return result;
  }

  /** Makes a call until it is answered or its time is over: then, when it was sent, `unknown` is the answer. */
  async #call<T extends Reply>(send: (link: Link) => Promise<T>, unknown: number | 'ETIMEDOUT'): Promise<T> {
    const deadline = this.#deadline();
    let wasSent = false;
    for (;;) {
      // As of every file whose data was taken.
      if (this.#isClosed) throw new Errno(EBUSY);
      if (this.#isGone) throw new Errno(EIO);
      try {
        const link = this.#link ?? (await this.#deadlines.before(deadline, this.#linked()));
        if (link === undefined) continue;
        wasSent = true;
        return await this.#deadlines.before(deadline, send(link));
      } catch (error) {
        if (error instanceof Errno) throw error;
        if (error instanceof TooFew) throw new Errno(unknown);
        if (error instanceof Late) {
          this.#silentSince ??= deadline - this.#options.timeout;
          if (this.#link !== undefined && wasSent) this.#drop();
          this.#inTrouble('it does not answer');
          throw wasSent ? new Errno(unknown) : new Errno(EIO);
        }
        const errno = refusal(error, this.#complaints);
        if (errno !== undefined) throw errno;
        this.#drop(error);
      }
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

  async #linked(): Promise<Link | undefined> {
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
    const { timeout, replicas } = this.#options;
    const way = {
      key: this.key,
      timeout: isFirst ? timeout : Math.min(timeout, ATTEMPT),
      waitsForReplicas: replicas > 0,
      scripts,
    };
    let wasMade = false;
    let isAnother = false;
    const link = await openLink(this.#options, way, async (main) => {
      const [generation, made] = await this.#hello(main, isFirst);
      for (const [channel, heard] of this.#channels) await main.listen(`${this.key}:${channel}`, heard);
      this.#epoch++;
      wasMade = made === 1;
      isAnother = this.#generation !== '' && String(generation) !== this.#generation;
      this.#generation = String(generation);
      await this.onHello((script, ...args) =>
        main.send(evalsha(script, this.key, [this.#generation, ...args])),
      );
    });
    this.#link = link;
    if (this.#isClosed) {
      // Answered after the end: nobody else lets go of it any more.
      this.#drop();
      return wasMade;
    }
    this.#linkedAt = this.#heard = performance.now();
    this.#isGone = false;
    this.#silentSince = undefined;
    for (const one of new Set([link.main, link.writes]))
      void one.closed.then((error) => this.#closed(link.main, error));
    this.#complaints.answers(isAnother);
    if (!isFirst) this.onLink();
    return wasMade;
  }

  /** Returns the file's generation, and 1 when it was made. */
  async #hello(main: Connection, isFirst: boolean): Promise<readonly Reply[]> {
    const { max, mode, uid, gid } = this.#creation ?? { max: 0, mode: 0, uid: 0, gid: 0 };
    const fresh = this.#creation === undefined ? '' : `${LAYOUT}:${randomBytes(12).toString('hex')}`;
    const mayMake = isFirst || this.#options.recreate ? 1 : 0;
    const answer = await main.send(
      evalsha(hello, this.key, [
        ...[this.#generation, this.id, this.#epoch + 1, LEASE, this.#who],
        ...[fresh, max, mode, uid, gid, mayMake, LAYOUT],
      ]),
    );
    return Array.isArray(answer) ? answer : [];
  }

  /** Who and where this is, for others who look. */
  get #who(): string {
    return JSON.stringify({ ...this.#options.who, dir: this.#options.dir });
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
    if (!this.#isGone) this.#complaints.isGone(why);
    this.#isGone = true;
  }

  #inTrouble(why: string): void {
    if (!this.#isClosed) this.#complaints.cannotBeAsked(why);
  }

  async #beat(): Promise<void> {
    if (this.#isGone) {
      await this.#linked();
      return;
    }
    if (this.#link === undefined) return;
    const beating = this.#call(({ main }) => {
      const own = [this.#generation, this.id, this.#epoch, LEASE, this.#who];
      return main.send(evalsha(beat, this.key, own));
    }, EIO);
    await beating.then(
      () => {
        this.#heard = performance.now();
      },
      () => {},
    );
  }
}
