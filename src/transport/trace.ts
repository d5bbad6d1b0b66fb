import { timeOfDay } from '../sys/clock.ts';
import { Errno } from '../sys/errno.ts';
import { oneLine } from '../text/one-line.ts';

/** What a transport tells of a request: plain, for it may come from another thread. */
export interface Traced {
  readonly operation: string;
  /** From the root of the tree; '' where it isn't known. */
  readonly path: string;
  readonly uid: number;
  readonly gid: number;
  readonly tid: number;
  readonly details: Readonly<Record<string, number>>;
  /** A result, or a negative error number; undefined where nobody is answered. */
  readonly result: number | undefined;
  /** When it came, by the clock of all threads, and how long it took, in milliseconds. */
  readonly at: number;
  readonly ms: number;
}

/**
 * A request to a mounted tree, with its answer: what strace(1) shows of a system call.
 *
 * @example What it looks like as text.
 * ```text
 * 1234 LOOKUP /jobs/1 = 5 <0.112 ms>
 * 1234 READ /jobs/1/status size=131072 offset=0 = 6 <0.054 ms>
 * 1234 READ /jobs/2/status size=131072 offset=0 = ENODATA <1.302 ms>
 * ```
 */
export class TraceEvent {
  /** The kernel's name of it, such as `READ`. Source: `enum fuse_opcode`, include/uapi/linux/fuse.h. */
  readonly operation: string;
  /** Where it is in the tree, from the root: `/jobs/1`. '' where that isn't known. */
  readonly path: string;
  /** Who asks: the user's number. 65534 over libfuse, which doesn't know. */
  readonly uid: number;
  /** Who asks: the group's number. 65534 over libfuse, which doesn't know. */
  readonly gid: number;
  /** Who asks: the number of the thread. 0 where the kernel doesn't know. */
  readonly tid: number;
  /** What is asked for, such as `size` and `offset`, in bytes. */
  readonly details: Readonly<Record<string, number>>;
  /** What was answered: bytes read or written, an inode number found, 0. Undefined for an error, and where nobody is answered. */
  readonly result: number | undefined;
  /** The name of the error that was answered, such as `ENOENT`. */
  readonly error: string | undefined;
  /** When it came, in milliseconds since 1970 as Date.now() has them, with fractions. */
  readonly at: number;
  /** How long it took, in milliseconds, of which the handler is the most. */
  readonly ms: number;

  /** @internal */
  constructor({ operation, path, uid, gid, tid, details, result, at, ms }: Traced) {
    this.operation = operation;
    this.path = path;
    this.uid = uid;
    this.gid = gid;
    this.tid = tid;
    this.details = details;
    this.result = result === undefined || result < 0 ? undefined : result;
    this.error = result === undefined || result >= 0 ? undefined : new Errno(-result).code;
    this.at = timeOfDay(at);
    this.ms = ms;
  }

  /** As a line of text. */
  toString(): string {
    const details = Object.entries(this.details).map(([name, value]) => ` ${name}=${value}`);
    const answer = this.error ?? this.result ?? '?';
    return `${this.tid} ${this.operation} ${oneLine(this.path)}${details.join('')} = ${answer} <${this.ms.toFixed(3)} ms>`;
  }
}

/**
 * Whoever wants to know of each request. Called on the thread that mounted; what it throws is said, and changes nothing.
 *
 * @example
 * ```ts
 * const trace: Trace = (event) => console.log(`${event}`);
 * await mount(procRoot, '/tmp/my-proc', { trace });
 * ```
 */
export type Trace = (event: TraceEvent) => void;

/** Calls it. */
export function tell(trace: Trace, traced: Traced): void {
  try {
    trace(new TraceEvent(traced));
  } catch (error) {
    console.error(error);
  }
}
