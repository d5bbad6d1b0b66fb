import { constants, readFileSync } from 'node:fs';
import type { fuseInHeader } from '../../../abi/structs.ts';
import type { Caller } from '../../../proc-fs/caller.ts';
import type { ProcFile } from '../../../proc-fs/handler.ts';

/** Who makes the request that a call holds. One for each call, used for one request after the other; nothing is looked up unasked. */
export class RequestCaller implements Caller {
  /** The open file that the request is on, if it is on one. */
  file: ProcFile | undefined;
  readonly #header: ReturnType<typeof fuseInHeader.at>;
  #abort: AbortController | undefined;

  constructor(header: ReturnType<typeof fuseInHeader.at>) {
    this.#header = header;
  }

  /** Another request has come. What was made for the last one is kept by whoever asked for it. */
  renew(): void {
    this.file = undefined;
    this.#abort = undefined;
  }

  get uid(): number {
    return this.#header.uid;
  }

  get gid(): number {
    return this.#header.gid;
  }

  /** The header calls it `pid`, and it is the thread's: pid_nr_ns(task_pid(current)), fuse_force_creds. */
  get tid(): number {
    return this.#header.pid;
  }

  get pid(): number {
    return this.tid === 0 ? 0 : processOf(this.tid);
  }

  get flags(): number {
    return this.file?.flags ?? 0;
  }

  get nonblock(): boolean {
    return (this.flags & constants.O_NONBLOCK) !== 0;
  }

  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    return this.#abort.signal;
  }

  /** Nobody waits for the answer any more. */
  abort(): void {
    this.#abort?.abort();
  }
}

/** The process of a thread. Source: Tgid in proc_pid_status(5). */
function processOf(tid: number): number {
  try {
    const [, tgid = 0] = readFileSync(`/proc/${tid}/status`, 'latin1').match(/^Tgid:\s*(\d+)$/m) ?? [];
    return Number(tgid);
  } catch {
    return 0;
  }
}
