import type { SharedHandler } from '../../proc-fs/placement.ts';
import type { MessageForm } from '../../sys/console.ts';
import type { Traced } from '../trace.ts';
import type { TraceOrder } from '../tracers.ts';
import type { RingData } from './channel/uring.ts';
import type { CachedPagesState } from './wire/cached-pages.ts';
import type { PageRange } from './wire/notify.ts';

/** How many workers there are at most when nobody says: one that serves, and one that it calls (see scripts/bench/README.md). */
export const DEFAULT_THREADS = 2;

/** A file that workers serve. */
export interface SharedNode {
  readonly ino: number;
  /** From the root of the tree. */
  readonly path: string;
  readonly shared: SharedHandler;
  /** The number under which the kernel was lent the file's backing file, if it was. */
  readonly backing: number | undefined;
  /** What threads share of its cached pages, if its reads and writes are direct and it may be mapped. */
  readonly cachedPages: CachedPagesState | undefined;
}

/** What a mount gives each of its workers. */
export interface WorkerData {
  /** The mount's /dev/fuse. */
  readonly fd: number;
  /** A descriptor that can be read once the worker is to end. */
  readonly stop: number;
  /** What its requests come by, where that isn't the device. */
  readonly ring: RingData | undefined;
  /** The file that the mount is recorded in, if it is. */
  readonly recording: number | undefined;
  /** Who wants to know of each request, as of now. */
  readonly orders: readonly TraceOrder[];
  /** How its messages are written. */
  readonly messages: MessageForm;
  /** Which of the mount's workers this is, from 0. One that replaces another has its number. */
  readonly thread: number;
  /** The thread that has the tree, by the kernel's number: who waits for it there can't be answered by it. */
  readonly owner: number;
  /** The URL of what is to be imported before a handler's module that isn't of this package. */
  readonly hook: string | undefined;
  /** How long to look for the next request before sleeping, in microseconds. */
  readonly look: number;
  /** How long to sleep at most, in milliseconds; -1 for ever. */
  readonly sleep: number;
  /** The files that workers serve, as of now. */
  readonly nodes: readonly SharedNode[];
  /** One number, shared: the `unique` of the request that the worker is serving, STARTING or WAITING. */
  readonly serving: Float64Array;
  /**
   * One number, shared by all: how often there was news. A worker never comes to its event loop by itself; it looks at this with
   * each request, and takes the messages that have come meanwhile.
   */
  readonly news: Int32Array;
  /** One number, shared by all: see Calls. */
  readonly calls: Int32Array;
  /** Two numbers, shared by all: see turn.ts. */
  readonly turn: Int32Array;
  /** What it counts: see Counters. */
  readonly counters: SharedArrayBuffer;
}

/** What a worker is given that is begun before there is a mount: see begun.ts. */
export interface BegunData {
  /** One number, shared: 0 until there is a message with its WorkerData. */
  readonly mounted: Int32Array;
}

/** What a mount gives the thread that sends notifications. */
export interface NotifierData {
  /** The mount's /dev/fuse. */
  readonly fd: number;
  /** One number, shared: how many the kernel has acted on. */
  readonly done: Int32Array;
}

/** The worker hasn't had a request yet. */
export const STARTING = -1;
/** It waits for the next one. */
export const WAITING = 0;

/** What a worker is told while it serves: of a file that came, of one that the kernel has forgotten, or of all that want to know of requests. */
export type News =
  | { readonly added: SharedNode }
  | { readonly forgotten: number }
  | { readonly orders: readonly TraceOrder[] };

/** A WRITE that is done, to be answered once the kernel has dropped the cached pages of its range. */
export interface Written extends PageRange {
  readonly unique: number;
}

/** A request that was answered, and who is to be told of it. */
export interface ToldRequest {
  readonly traced: Traced;
  readonly whom: readonly number[];
}

/** A worker's message to its mount: that it serves, that it needs others, a request that isn't for a file it knows, what to answer, what it has answered, or that it is done. */
export type WorkerMessage = 'ready' | 'hire' | Uint8Array<ArrayBuffer> | Written | ToldRequest | 'ended';
