import type { IoMode } from '../ram-file/defaults.ts';
import type { User } from '../sys/users.ts';
import type { ChannelName } from '../transport/kernel/channels.ts';
import { DEFAULT_THREADS } from '../transport/kernel/worker-contract.ts';
import type { ModuleOrder } from './control/module-order.ts';

/** What serves a mount: see src/transport. */
export const transports = ['kernel', 'libfuse'] as const;
export type Transport = (typeof transports)[number];

/** What can be told of one of several files. */
export interface FileSettings {
  readonly name?: string | undefined;
  readonly mode?: number | undefined;
  readonly maxSize?: number | undefined;
}

export interface NamedFile extends FileSettings {
  readonly name: string;
}

/**
 * What `ramproc mount` can be told, by flags or by `-o`: src/cli/options.ts has what each means, and plan.ts what holds when
 * nothing is said.
 */
export interface Settings {
  name?: string;
  mode?: number;
  uid?: number;
  gid?: number;
  maxSize?: number;
  /** Instead of a name, a mode and a size: those of each file. */
  file?: readonly NamedFile[];
  /** Instead of a RAM file: what is loaded. */
  modules?: readonly ModuleOrder[];
  threads?: number;
  from?: string;
  /** Where what the file holds is saved at the end, and what it is filled with if that is there. Paths. */
  save?: string;
  restore?: string;
  transport?: Transport;
  channel?: ChannelName;
  log?: string;
  verbose?: boolean;
  debug?: boolean;
  record?: string;
  io?: IoMode;
  /** The URL of an engine, with a password perhaps. */
  on?: string;
  key?: string;
  passwordFile?: string;
  /** In milliseconds. */
  timeout?: number;
  replicas?: number;
  recreate?: boolean;
  locks?: 'shared' | 'local';
  allowOther?: boolean;
  autoUnmount?: boolean;
  secret?: boolean;
  /** Whether a daemon that runs already is to serve it. */
  join?: boolean;
  nonempty?: boolean;
  /** Whether it is mounted already, and is to be changed. */
  remount?: boolean;
  /** What /proc/mounts shows as the source. */
  fsname?: string;
  /** Who mounts, when that isn't who asks. */
  setuid?: User;
  /** Words of mount(8), in the order given. */
  words?: string[];
}

/** How much of the machine's memory the file may take when nothing is said, in percent: as much as a tmpfs. */
export const DEFAULT_SHARE = 50;

/** One thread less where the kernel reads and writes by itself, and where each would lock 2 MiB that a secret could have. */
export const FEWER_THREADS = DEFAULT_THREADS - 1;

/** The bits of a mode that a secret hasn't got. */
export const OTHERS = 0o077;

/** What a setting is called on a command line. */
export function flagOf(name: string): string {
  if (keysOnly.includes(name)) return `-o ${name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}`;
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** Those that are told by `-o` alone. */
const keysOnly = ['autoUnmount', 'nonempty', 'fsname', 'setuid'];
