import type { Freed } from '../../ram-file/give-back.ts';
import type { EngineStatus } from '../../shared-file/status.ts';
import { quote } from '../../text/quote.ts';
import type { MountStatistics } from '../../transport/statistics.ts';
import type { TraceEvent } from '../../transport/trace.ts';
import type { TraceFilter } from '../../transport/tracers.ts';
import type { ModuleOrder } from './module-order.ts';

/**
 * How a command speaks to a daemon, beside FUSE: over a unix socket with an abstract name, which is no file and is gone with
 * its process. The kernel says who is at either end: a daemon answers its own user and root, and a command believes the
 * mount's owner and root.
 *
 * A connection is one question. The command sends it, and the daemon answers with any number of progresses and then with an
 * answer or an error; each of these is a JSON object on a line of its own, in UTF-8. Either end may close: who asked and closes
 * takes no interest any more.
 *
 *     {"protocol":1,"question":"teardown","mount":"0:52"}
 *     {"protocol":1,"progress":{"bytes":1048576,"total":4194304}}
 *     {"protocol":1,"answer":{"taken":true}}
 *
 * Both may be of different versions: fields that one doesn't know are passed over, fields that were added are optional for
 * ever, and a question that the daemon doesn't know is answered with a sentence.
 */
export const PROTOCOL = 1;

/** The longest line, in UTF-16 units. */
export const MAX_LINE = 1 << 20;

/** What a daemon can be asked about the mount that the question names: what goes along, what comes meanwhile and in the end. */
export interface Questions {
  /** Who it is. Tells of all its mounts. */
  hello: { input: Record<never, never>; progress: never; answer: Hello };
  /** What is loaded into it. */
  contents: { input: Record<never, never>; progress: never; answer: Contents };
  /** To mount another directory, and serve it too. For the daemon's own user alone. */
  join: { input: JoinInput; progress: JoinProgress; answer: Joined };
  /** To load a module into it. For the daemon's own user alone: the module's code runs with the daemon's rights. */
  load: { input: LoadInput; progress: Waiting; answer: LoadAnswer };
  /** To unload one. What is loaded last isn't: then it is to be unmounted. */
  unload: { input: { readonly module: string }; progress: Freed; answer: { readonly isLast: boolean } };
  /** What clients have asked so far. */
  stats: { input: Record<never, never>; progress: never; answer: Statistics };
  /** To tell of requests as they are answered, until the mount is gone. */
  trace: { input: { readonly filter: TraceFilter }; progress: TraceProgress; answer: Record<never, never> };
  /** To change a parameter. */
  set: { input: SetInput; progress: never; answer: { readonly value: ParameterContents['value'] } };
  /** To change sizes, modes and owners of its files. */
  remount: { input: RemountInput; progress: never; answer: RemountAnswer };
  /** For the bytes of a file, to save them. */
  save: { input: SaveInput; progress: never; answer: SaveAnswer };
  /** To remove its entries and take the data, as at unmounting: who has a file open gets EBUSY. */
  teardown: { input: Record<never, never>; progress: Freed; answer: { taken: true } };
  /** To finish, for the mount was just unmounted. Answered when its memory is given back, or when that can't be yet. */
  unmounted: { input: UnmountedInput; progress: Freed; answer: UnmountedAnswer };
}

export type Question = keyof Questions;

export interface Hello {
  /** Of ramproc. */
  readonly version: string;
  /** In the daemon's own namespace. */
  readonly pid: number;
  /** Whether it serves other directories too, for whoever asks. */
  readonly joinable?: boolean;
  readonly mounts: readonly MountHello[];
}

export interface MountHello {
  /** `major:minor`, as in /proc/PID/mountinfo. */
  readonly device: string;
  /** In the daemon's own namespace. */
  readonly dir: string;
  readonly transport: string;
  /** What its requests come by over the kernel transport: `device` or `uring`. */
  readonly channel?: string | undefined;
  readonly io: string;
  /** In bytes. */
  readonly maxSize: number;
  readonly secret: boolean;
  /** When it was mounted: ISO 8601. */
  readonly since: string;
  /** Whether it is mounted still, somewhere: the kernel gives its device number to another mount otherwise. */
  readonly connected: boolean;
}

export interface Contents {
  /** The number of the user whose rights the daemon has. */
  readonly user: number;
  /** In the order in which they were loaded. */
  readonly modules: readonly ModuleContents[];
}

/** A module that is loaded. */
export interface ModuleContents {
  /** What it is unloaded by: its name, and a number behind it when another of that name was loaded before. */
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly author: string;
  readonly license: string;
  /** What it added to the directory. */
  readonly entries: readonly string[];
  readonly parameters: readonly ParameterContents[];
  /** Of a RAM file: who reads and writes its bytes, how many bytes of memory they take, and how many they may take. */
  readonly ram?: { readonly io: string; readonly used: number; readonly most: number } | undefined;
  /** How it is with the engine that has its bytes. */
  readonly engine?: EngineStatus | undefined;
}

export interface ParameterContents {
  readonly name: string;
  readonly type: string;
  readonly value: number | string | boolean;
  readonly description: string;
  /** Whether it may be changed while the module is loaded. */
  readonly writable: boolean;
}

export interface JoinInput {
  /** Absolute. */
  readonly dir: string;
  /** Of the same version: see Plan. */
  readonly plan: object;
  readonly place: Place;
}

/** What a person should know of it. */
export interface JoinProgress {
  readonly notice?: string;
}

export interface Joined {
  /** See Mounted. Undefined when it couldn't be mounted. */
  readonly mounted?: object;
  /** The sentence that says why. */
  readonly failed?: string;
}

/** What was counted of a mount since it was made. */
export interface Statistics extends MountStatistics {
  readonly version: string;
  readonly pid: number;
  /** When it was mounted: ISO 8601. */
  readonly since: string;
  readonly transport: string;
  readonly channel?: string | undefined;
  readonly io: readonly string[];
  /** Of its RAM files, in bytes: what they take, and what they may. */
  readonly used: number;
  readonly most: number;
  /** Of the process, in bytes: its resident memory, that of its RAM files among it. */
  readonly resident: number;
  /** How many files are open. */
  readonly open: number;
  /** How it is with the engine that has its file. */
  readonly engine?: EngineStatus | undefined;
}

/** What was asked since the last one. The first says that from now on there are some. */
export interface TraceProgress {
  readonly events?: readonly Omit<TraceEvent, 'toString'>[];
  /** How many were left out, for they came faster than they were taken. */
  readonly missed?: number;
}

/** Says that it goes on. */
export type Waiting = Readonly<Record<never, never>>;

export interface LoadInput extends ModuleOrder {
  /** Where its files and packages are looked for, which must be where the daemon looks. */
  readonly place: Place;
}

/** A mount namespace, and the root directory in it. */
export interface Place {
  /** As the link /proc/self/ns/mnt has it. */
  readonly namespace: string;
  /** Device and inode number of the root directory. */
  readonly root: string;
}

export interface LoadAnswer {
  /** What it is unloaded by. */
  readonly id: string;
  /** What it added to the directory. */
  readonly entries: readonly string[];
  /** The daemon. */
  readonly pid: number;
}

export interface SetInput {
  readonly module: string;
  readonly parameter: string;
  readonly value: string;
}

export interface RemountInput {
  /** What was said, as of a mount: see Settings. */
  readonly settings: object;
  /** Whether reading moves atime from now on, where that changes. */
  readonly readsMoveAtime?: boolean | undefined;
  /** Nothing is changed: whether it could be is what is asked. */
  readonly dry?: boolean | undefined;
}

export interface RemountAnswer {
  /** The files in it. */
  readonly files: readonly { readonly file: string; readonly maxSize: number }[];
}

export interface SaveInput {
  /** The name of the one that is meant of several. */
  readonly file?: string | undefined;
  /** Whether it is to be a copy, of one moment. */
  readonly copy: boolean;
  /** The abstract name of a socket of who asks, to which a descriptor of the bytes is sent, which is only read. Without it, none is. */
  readonly to?: string | undefined;
}

export interface SaveAnswer {
  /** Its name, and its permission bits. */
  readonly name: string;
  readonly mode: number;
  /** Changes when somebody changes the bytes. */
  readonly stamp: string;
  /** Whether there can be a copy of one moment: not of what the kernel writes by itself, nor of what lies elsewhere. */
  readonly copies: boolean;
  /** Whether a descriptor was sent. Otherwise it is to be read where it is mounted. */
  readonly sent: boolean;
}

export interface UnmountedInput {
  /** It was detached with its users: a secret that is still in use is theirs until they end. */
  readonly lazy: boolean;
  /** Whether to answer only when the memory is given back. */
  readonly wait: boolean;
}

export interface UnmountedAnswer {
  /**
   * It is still mounted elsewhere, in another mount namespace or by a bind mount, or somebody has it open after a lazy unmount.
   * A secret was taken then all the same, unless that was lazy.
   */
  readonly elsewhere: boolean;
  /** Why its data couldn't be saved, as a sentence without its end: the daemon has it still. */
  readonly unsaved?: string | undefined;
}

/** What the name of a mount's socket begins with. The rest is random: who wanted to be taken for the daemon can't be there first. */
export function namePrefix(device: string): string {
  return `ramproc/${device}/`;
}

/** A message as it is sent. */
export function encode(message: Readonly<Record<string, unknown>>): string {
  return `${JSON.stringify({ protocol: PROTOCOL, ...message })}\n`;
}

/** The fields of a line. Throws an Error for what is none of our messages. */
export function decode(line: string): Readonly<Record<string, unknown>> & { readonly protocol: number } {
  const message = parse(line);
  if (typeof message !== 'object' || message === null || Array.isArray(message) || !hasProtocol(message)) {
    throw new Error(`${quote(line.slice(0, 40))} is no message of ramproc's`);
  }
  return message;
}

function hasProtocol(message: object): message is Record<string, unknown> & { protocol: number } {
  return 'protocol' in message && typeof message.protocol === 'number';
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** Makes lines of what comes in pieces. */
export class LineReader {
  #rest = '';

  /** The lines that end in this piece. Throws an Error when one is too long. */
  add(piece: string): string[] {
    const lines = (this.#rest + piece).split('\n');
    if (lines.some((line) => line.length > MAX_LINE)) {
      throw new Error(`a message has more than ${MAX_LINE} characters`);
    }
    this.#rest = lines.pop() ?? '';
    return lines;
  }
}
