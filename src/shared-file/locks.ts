import { setTimeout as sleep } from 'node:timers/promises';
import type { Caller } from '../proc-fs/caller.ts';
import type { ProcFile } from '../proc-fs/handler.ts';
import {
  type FileLock,
  type HeldLock,
  inTheWay,
  LockCommand,
  LockType,
  withLock,
  withoutOwner,
} from '../proc-fs/lock.ts';
import { EAGAIN, EINTR, EIO, Errno } from '../sys/errno.ts';
import { lockState, lockSwap } from './lua/locks.ts';
import type { Ask, Session } from './session.ts';

/** How long who waits for a lock sleeps at most before looking again, in milliseconds: whoever has it may be gone without a word. */
const LOOK = 1000;

/** How long an open file that was just closed may take to let go of its lock, in milliseconds: close(2) doesn't wait for RELEASE. */
const GRACE = 20;

/** A lock in the engine: of which machine its process is, as process numbers mean nothing elsewhere. */
interface SharedLock extends HeldLock {
  readonly machine: string;
}

/**
 * The locks of all machines, in the engine. They are kept as one text: whoever changes it says what it was, and tries again when it
 * isn't that any more. A mount that isn't heard of for its lease is dead, and its locks are free for who wants them.
 */
export class SharedLocks {
  readonly #session: Session;
  readonly #machine: string;
  /** Which open files an owner has locks by. */
  readonly #files = new Map<number, Set<ProcFile>>();
  /** Open files whose locks were lost, and who hasn't heard of it. */
  readonly #lost = new WeakSet<ProcFile>();
  #isListening = false;
  readonly #waiting = new Set<() => void>();

  constructor(session: Session, machine: string) {
    this.#session = session;
    this.#machine = machine;
    session.onHello = (ask) => this.#compare(ask);
  }

  /** Throws EIO, once, when a lock of an open file was lost meanwhile. */
  check(file: ProcFile): void {
    if (this.#lost.delete(file)) throw new Errno(EIO);
  }

  /** As the handler's `lock` and `flock`. */
  async lock(
    file: ProcFile,
    kind: HeldLock['kind'],
    command: LockCommand,
    lock: FileLock,
    { signal }: Pick<Caller, 'signal'>,
  ): Promise<FileLock | undefined> {
    const wanted: SharedLock = { ...lock, kind, holder: this.#session.id, machine: this.#machine };
    if (lock.type !== LockType.NONE && command !== LockCommand.GETLK) this.#note(file, lock.owner);
    let isSure = false;
    for (;;) {
      const { held, text, dead } = await this.#state();
      const other = inTheWay(held, wanted);
      if (command === LockCommand.GETLK) return other && { ...other, pid: this.#pidOf(other) };
      if (other === undefined) {
        if (!(await this.#swap(text, withLock(held, wanted), dead))) continue;
        // Nobody waits for it any more.
        if (signal.aborted && lock.type !== LockType.NONE) {
          await this.#drop(lock.owner);
          throw new Errno(EINTR);
        }
        return undefined;
      }
      if (command === LockCommand.SETLK) {
        if (kind === 'posix' || isSure) throw new Errno(EAGAIN);
        isSure = true;
        await sleep(GRACE);
      } else {
        await this.#changed(signal);
      }
    }
  }

  /** A descriptor of an owner's was closed. */
  async flush(owner: number): Promise<void> {
    if (this.#files.delete(owner)) await this.#drop(owner);
  }

  /** An open file is no more, with all that was locked by it. */
  async release(file: ProcFile): Promise<void> {
    for (const [owner, files] of [...this.#files]) {
      if (!files.delete(file) || files.size > 0) continue;
      this.#files.delete(owner);
      await this.#drop(owner);
    }
  }

  #note(file: ProcFile, owner: number): void {
    const files = this.#files.get(owner) ?? new Set();
    this.#files.set(owner, files.add(file));
  }

  async #drop(owner: number): Promise<void> {
    for (;;) {
      const { held, text } = await this.#state();
      const left = withoutOwner(held, { holder: this.#session.id, owner });
      if (left.length === held.length || (await this.#swap(text, left, []))) return;
    }
  }

  /** The locks of those who are alive, the text that they were in, and who isn't. */
  async #state(): Promise<{ held: HeldLock[]; text: string; dead: string[] }> {
    const ask: Ask = (script, ...args) => this.#session.query(script, ...args);
    const text = await textOf(ask);
    const all: HeldLock[] = JSON.parse(text || '[]');
    const others = [...new Set(all.map(({ holder }) => holder))].filter((one) => one !== this.#session.id);
    if (others.length === 0) return { held: all, text, dead: [] };
    const [, ...alive] = (await ask(lockState, ...others)) as unknown[];
    const dead = others.filter((_, i) => alive[i] !== 1);
    return { held: all.filter(({ holder }) => !dead.includes(holder)), text, dead };
  }

  async #swap(before: string, after: readonly HeldLock[], dead: readonly string[]): Promise<boolean> {
    return (await this.#session.change(lockSwap, [before, JSON.stringify(after), ...dead])) === 'done';
  }

  /** Before anything is sent on a new connection: what was lost is known by then. */
  async #compare(ask: Ask): Promise<void> {
    if (this.#files.size === 0) return;
    const all: HeldLock[] = JSON.parse((await textOf(ask)) || '[]');
    const owners = new Set(all.flatMap(({ holder, owner }) => (holder === this.#session.id ? owner : [])));
    for (const [owner, files] of this.#files) {
      if (owners.has(owner)) continue;
      this.#files.delete(owner);
      for (const file of files) this.#lost.add(file);
    }
  }

  #pidOf(lock: HeldLock): number {
    return 'machine' in lock && lock.machine === this.#machine ? lock.pid : 0;
  }

  /** Until a lock is let go of somewhere, or it is time to look. */
  async #changed(signal: AbortSignal): Promise<void> {
    if (!this.#isListening) {
      this.#isListening = true;
      await this.#session.listen('unlocked', () => {
        for (const wake of [...this.#waiting]) wake();
      });
    }
    const abort = new AbortController();
    const woken = new Promise<void>((wake) => {
      const look = () => {
        this.#waiting.delete(look);
        wake();
      };
      this.#waiting.add(look);
      abort.signal.addEventListener('abort', look);
      signal.addEventListener('abort', look, { signal: abort.signal });
    });
    try {
      await Promise.race([woken, sleep(LOOK, undefined, { signal: abort.signal }).catch(() => {})]);
    } finally {
      abort.abort();
    }
    if (signal.aborted) throw new Errno(EINTR);
  }
}

/** The engine's text of all locks. */
async function textOf(ask: Ask): Promise<string> {
  const answer = await ask(lockState);
  return String(Array.isArray(answer) ? (answer[0] ?? '') : '');
}
