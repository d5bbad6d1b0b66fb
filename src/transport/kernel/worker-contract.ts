import type { SharedHandler } from '../../proc-fs/handler.ts';

/** What a session gives each of its workers. */
export interface WorkerData {
  /** The session's /dev/fuse. */
  readonly fd: number;
  /** The file that the session is recorded in, if it is. */
  readonly recording: number | undefined;
  /** Which of the session's workers this is, from 0. One that replaces another has its number. */
  readonly thread: number;
  /** The files whose handlers run in workers. */
  readonly nodes: readonly {
    readonly ino: number;
    readonly flags: number;
    readonly shared: SharedHandler;
    /** The number under which the kernel was lent the file's backing file, if it was. */
    readonly backing: number | undefined;
  }[];
  /** One number, shared: the `unique` of the request that the worker is serving, STARTING or WAITING. */
  readonly serving: Float64Array;
}

/** The worker hasn't had a request yet. */
export const STARTING = -1;
/** It waits for the next one. */
export const WAITING = 0;

/** A worker's message to its session: that it serves, a request that isn't for a file it knows, or that it is done. */
export type WorkerMessage = 'ready' | Uint8Array<ArrayBuffer> | 'unmounted';
