import { chownSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { attempt } from '../../src/sys/processes.ts';
import type { Random } from '../bytes/random.ts';
import { traces } from '../faults/traces.ts';
import { inTime, until } from '../support/hanging.ts';
import { COMMAND, type Ended, runs } from '../support/mount.ts';
import { NOBODY } from '../support/nobody.ts';
import { makeDir } from '../support/run.ts';
import { type End, Started } from '../support/started.ts';
import { BusyClient } from './busy-client.ts';
import { as, type Way } from './ways.ts';

const { signals } = constants;

/** What ends a mount. SIGHUP does where a terminal could be, and SIGKILL can't be answered. */
const ending = [signals.SIGINT, signals.SIGTERM, signals.SIGKILL] as const;
const hangup = signals.SIGHUP;
/** Left alone: what a fault of the process itself would be, and SIGSTOP, which is sent together with SIGCONT. */
const faults = [
  ...[signals.SIGILL, signals.SIGTRAP, signals.SIGBUS, signals.SIGFPE, signals.SIGSEGV, signals.SIGSYS],
];
const others = Array.from({ length: 64 }, (_, i) => i + 1).filter(
  (signal) => ![...ending, ...faults].includes(signal),
) as [number, ...number[]];

/** One of so many signals is one that ends a mount. */
const ENDS = 20;
/** Each of the others after a moment, in milliseconds. */
const NEXT = 30;
/** A mount that none of so many ended is unmounted. */
const MOST = 60;

/** One mount, from its start to what is left of it. */
export class Subject {
  readonly #way: Way;
  readonly #random: Random;
  readonly #dir: string;
  readonly #started: Started;
  /** To the command, and to the daemon of a mount in the background. */
  readonly #toCommand = new Set<number>();
  readonly #toDaemon = new Set<number>();
  readonly #log: string[] = [];
  #end: End | undefined;

  constructor(way: Way, random: Random) {
    this.#way = way;
    this.#random = random;
    this.#dir = makeDir('signals');
    if (way.user === 'nobody') chownSync(this.#dir, NOBODY, NOBODY);
    const place = way.foreground ? ['--foreground'] : [];
    this.#started = this.#command('mount', this.#dir, '--json', ...place, ...way.options);
    const noted = this.#started.ended.then((end) => {
      this.#end = end;
      this.#note(`the command ended (${end.how})`);
    });
    noted.catch(() => {});
  }

  /** What happened so far. */
  get story(): string {
    const { user, foreground, options } = this.#way;
    const place = foreground ? 'foreground' : 'background';
    return `${user}, ${place}, ${options.join(' ') || 'direct'}: ${this.#log.join(', ')}; said ${JSON.stringify(this.#started.stdout + this.#started.stderr)}`;
  }

  /**
   * Sends signals, the first within so many milliseconds, for as long as `more` says, until one has ended it. Returns how it
   * ended; throws what was wrong.
   */
  async live(first: number, more: () => boolean): Promise<string> {
    await sleep(this.#random.below(first + 1));
    const { end, unmounted } = await this.#endure(more);
    this.#checkSaid(end);
    await this.#checkLeft();
    if (debuggerListens()) throw new Error('a debugger listens');
    return this.#outcome(end, unmounted);
  }

  /** All of its life. Somebody works on it as soon as it has mounted. */
  async #endure(more: () => boolean): Promise<{ end: End; unmounted: boolean }> {
    let client: BusyClient | undefined;
    try {
      for (let i = 0; i < MOST && this.#target() !== undefined && more(); i++) {
        if (this.#daemon !== undefined) client ??= new BusyClient(this.#way, this.#dir);
        await this.#send(this.#random.pick<number>(this.#random.oneIn(ENDS) ? ending : others));
        await sleep(this.#random.below(2 * NEXT));
      }
      const unmounted = this.#target() !== undefined && (await this.#finish());
      const end = await inTime(this.#started.ended, 'the command does not end');
      const daemon = this.#daemon ?? 0;
      await until(() => !runs(daemon), 'the daemon does not end');
      return { end, unmounted };
    } finally {
      await client?.end();
    }
  }

  /** Who gets the next signal: while a mount in the background starts, the command or the daemon that it has started. */
  #target(): { pid: number; sent: Set<number> } | undefined {
    const { pid } = this.#started;
    if (this.#end === undefined) {
      const [daemon] = this.#way.foreground ? [] : childrenOf(pid);
      if (daemon !== undefined && this.#random.oneIn(2)) return { pid: daemon, sent: this.#toDaemon };
      return { pid, sent: this.#toCommand };
    }
    const daemon = this.#daemon;
    return daemon !== undefined && runs(daemon) ? { pid: daemon, sent: this.#toDaemon } : undefined;
  }

  /** The daemon, once it is known that it has mounted. */
  get #daemon(): number | undefined {
    const { stdout } = this.#started;
    return stdout.includes('\n') ? JSON.parse(stdout).pid : undefined;
  }

  async #send(signal: number): Promise<void> {
    const target = this.#target();
    if (target === undefined) return;
    target.sent.add(signal);
    this.#note(`${nameOf(signal)} to ${target.sent === this.#toDaemon ? 'the daemon' : 'the command'}`);
    this.#signal(target.pid, signal);
    // What is stopped, by this or by Ctrl-Z while Node starts, goes on.
    if (stops.includes(signal)) await sleep(this.#random.below(NEXT));
    if (stops.includes(signal)) this.#signal(target.pid, signals.SIGCONT);
  }

  /** Numbers of processes are given again: only one that was started for this directory is meant. */
  #signal(pid: number, signal: number): void {
    const parameters = attempt(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8')) ?? '';
    if (parameters.includes(this.#dir)) attempt(() => process.kill(pid, signal));
  }

  /** Ends what no signal has ended. Returns whether it was unmounted. */
  async #finish(): Promise<boolean> {
    await until(() => this.#daemon !== undefined || this.#end !== undefined, 'it does not start');
    if (this.#target() === undefined) return false;
    this.#note('unmount --lazy');
    const { status, stderr } = await ended(this.#command('unmount', '--lazy', this.#dir));
    // A signal may have come before it.
    if (status !== 0 && !this.#wasTold()) throw new Error(`it can't be unmounted: ${stderr}`);
    return status === 0;
  }

  #wasTold(): boolean {
    return [...ending, hangup].some((signal) => this.#toCommand.has(signal) || this.#toDaemon.has(signal));
  }

  /** Whether the command's end and words are those that the signals call for. */
  #checkSaid({ how, stdout, stderr }: End): void {
    const mounted = stdout !== '';
    const allowed = this.#way.foreground && mounted ? [...ending, hangup] : [...this.#toCommand];
    const bySignal = allowed.filter((signal) => this.#toCommand.has(signal)).map(nameOf);
    // Node has no names for real-time signals, and says 0.
    const right =
      how === 0
        ? mounted || bySignal.some((name) => /^\d/.test(name))
        : bySignal.includes(`${how}`) || (how === 2 && DAEMON_ENDED.test(stderr) && this.#toDaemon.size > 0);
    if (!right) throw new Error(`the command must not end with ${how}`);
    const odd = stderr.split('\n').filter((line) => line !== '' && !WORDS.test(line));
    if (odd.length > 0) throw new Error('it must not say that');
  }

  /** Whether nothing is left; after SIGKILL a dead mount may be, which the next mount replaces. */
  async #checkLeft(): Promise<void> {
    const killed = this.#toCommand.has(signals.SIGKILL) || this.#toDaemon.has(signals.SIGKILL);
    await until(async () => {
      const { mounted, running } = traces(this.#dir);
      if (running.length === 0) return mounted.length === 0 || killed;
      // Taken over by a command that was killed before it could say so.
      if (this.#daemon === undefined) await ended(this.#command('unmount', '--lazy', this.#dir));
      return false;
    }, 'something is left behind');
    if (traces(this.#dir).mounted.length === 0) return;
    this.#note('mounted again');
    const again = await ended(this.#command('mount', this.#dir));
    if (again.status !== 0 || !again.stderr.includes('replacing it')) {
      throw new Error(`what is left can't be replaced: ${again.stderr}`);
    }
    const unmounted = await ended(this.#command('unmount', this.#dir));
    if (unmounted.status !== 0) throw new Error(`and not unmounted: ${unmounted.stderr}`);
    await until(() => traces(this.#dir).running.length === 0, 'the second daemon does not end');
    if (traces(this.#dir).mounted.length > 0) throw new Error('a mount is left behind');
  }

  #outcome({ how, stdout }: End, unmounted: boolean): string {
    if (unmounted) return 'unmounted, after signals that end nothing';
    if (stdout === '') return 'while it started';
    if (this.#way.foreground) return `served in the foreground, by ${how}`;
    const by = ending.filter((signal) => this.#toDaemon.has(signal)).map(nameOf);
    return `served in the background, by ${by.join(' or ')}`;
  }

  #command(...parameters: string[]): Started {
    const { program, before } = as(this.#way);
    return new Started(program, [...before, COMMAND, ...parameters], { cwd: '/' });
  }

  #note(what: string): void {
    this.#log.push(what);
  }
}

/** These stop a process until SIGCONT, while it does nothing against that. */
const stops = [signals.SIGSTOP, signals.SIGTSTP, signals.SIGTTIN, signals.SIGTTOU];

/** What a command may say: that it was told to end, that its daemon was, and what Node says to SIGUSR1 while it starts. */
const DAEMON_ENDED = /^ramproc: The daemon ended (by SIG\w+|by |with status 0) before it had mounted/m;
const WORDS =
  /^(ramproc: SIG\w+, unmounting ".*"|ramproc: The daemon ended .* before it had mounted; .*|Starting inspector on 192\.0\.2\.1:9229 failed: .*)$/;

async function ended(started: Started): Promise<Ended> {
  const { how, stdout, stderr } = await inTime(started.ended, 'a command does not end');
  return { status: typeof how === 'number' ? how : -1, stdout, stderr };
}

function childrenOf(pid: number): number[] {
  const line = attempt(() => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')) ?? '';
  return line.split(' ').map(Number).filter(Boolean);
}

/** Whether anybody listens on port 9229. Source: proc_pid_net(5); 0A is TCP_LISTEN. */
function debuggerListens(): boolean {
  return /^\s*\d+: \w+:240D \w+:\w+ 0A/m.test(readFileSync('/proc/net/tcp', 'utf8'));
}

/** A signal's name, or its number when it has none. */
function nameOf(signal: number): string {
  return Object.entries(signals).find(([, number]) => number === signal)?.[0] ?? `${signal}`;
}
