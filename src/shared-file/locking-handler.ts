import type { Caller } from '../proc-fs/caller.ts';
import type { ProcFile } from '../proc-fs/handler.ts';
import type { FileLock, LockCommand } from '../proc-fs/lock.ts';
import { SharedHandler } from './handler.ts';
import { SharedLocks } from './locks.ts';
import type { Session } from './session.ts';

/** The same file with locks that hold across machines. */
export class LockingHandler extends SharedHandler {
  readonly #locks: SharedLocks;

  /** `machine`: the same text on all mounts where a process has the same number. */
  constructor(session: Session, atime: boolean, machine: string) {
    super(session, atime);
    this.#locks = new SharedLocks(session, machine);
  }

  override check(file: ProcFile): void {
    this.#locks.check(file);
  }

  async lock(
    file: ProcFile,
    command: LockCommand,
    lock: FileLock,
    caller: Caller,
  ): Promise<FileLock | undefined> {
    return this.#locks.lock(file, 'posix', command, lock, caller);
  }

  async flock(file: ProcFile, command: LockCommand, lock: FileLock, caller: Caller): Promise<void> {
    await this.#locks.lock(file, 'flock', command, lock, caller);
  }

  flush(_file: ProcFile, owner: number): Promise<void> {
    return this.#locks.flush(owner);
  }

  release(file: ProcFile): Promise<void> {
    return this.#locks.release(file);
  }
}
