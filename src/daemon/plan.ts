import { readFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import { lacks } from '../mount/lacks.ts';
import { MountError } from '../mount/mount-error.ts';
import { FSNAME, type MountOptions } from '../mount/options.ts';
import { DEFAULT_MODE, DEFAULT_NAME, type IoMode } from '../ram-file/defaults.ts';
import type { RamFileOptions } from '../ram-file/module.ts';
import { lockedBeside, MAPPED_SIZE, WINDOW_SIZE } from '../ram-file/sizes.ts';
import { Capability, capable } from '../sys/capabilities.ts';
import { keepsAtime } from '../sys/mount.ts';
import { getrlimit, RLIMIT_AS, RLIMIT_MEMLOCK, RLIMIT_NOFILE } from '../sys/rlimit.ts';
import { quote } from '../text/quote.ts';
import { size } from '../text/size.ts';
import { type ChannelInUse, channelInUse } from '../transport/kernel/channels.ts';
import { DEFAULT_THREADS } from '../transport/kernel/worker-contract.ts';
import type { ModuleOrder } from './control/module-order.ts';
import {
  DEFAULT_SHARE,
  FEWER_THREADS,
  type FileSettings,
  OTHERS,
  type Settings,
  type Transport,
} from './settings.ts';
import { type SharedPlan, sharedPlan } from './shared-plan.ts';

const PAGE_SIZE = 4096;

/** As many threads as there are where the event loop serves: a thread would take more memory than all else of a mount. */
const EVENT_LOOP = 0;

/** A secret's mode, for its owner alone. */
const SECRET_MODE = 0o600;

/** The addresses that V8 reserves for a thread, in bytes, few of which ever become memory: 0.52 GiB in Node 20, 0.77 in 26. */
const THREAD_ADDRESSES = 0.8 * 2 ** 30;

/** What a ring takes for the payloads of its entries, few of which ever become memory: see Rings. */
const RING_ADDRESSES = 0.3 * 2 ** 30;

/**
 * How many files a daemon has open at once, and how many for each thread: while Node loads its modules, at most, which is
 * twice of what stays open.
 */
const FILES = 64;
const THREAD_FILES = 12;

type Complete<T> = { readonly [K in keyof T]-?: Exclude<T[K], undefined> };

/** All that is to be of a RAM file. */
export type FilePlan = Complete<Omit<RamFileOptions, 'secret'>> & Pick<RamFileOptions, 'secret'>;

/** All that is to be of a mount. Nothing is left to decide for who carries it out. */
export interface Plan {
  /** The RAM files in it. */
  readonly files: readonly FilePlan[];
  /** Instead of them a file in an engine. */
  readonly shared: SharedPlan | undefined;
  /** Whether they are secret. */
  readonly secret: boolean;
  /** The other modules that are loaded into it. */
  readonly modules: readonly ModuleOrder[];
  readonly transport: Transport;
  /** What requests come by over the kernel transport. */
  readonly channel: ChannelInUse | undefined;
  /** How many threads serve requests over the kernel transport. */
  readonly threads: number;
  /** Where each message between the kernel and the daemon goes. */
  readonly record: string | undefined;
  /** What the one file is filled with: see takeSource. */
  readonly from: string | undefined;
  /** Where what it holds is saved at the end. */
  readonly save: string | undefined;
  /** Where the daemon's own messages go. */
  readonly log: string | undefined;
  /** Whether it tells of all that it does, and of each request. */
  readonly verbose: boolean;
  readonly debug: boolean;
  readonly mount: Complete<Omit<MountOptions, 'nonempty' | 'notice'>>;
  /** Whether what is in the directory may be hidden. */
  readonly nonempty: boolean;
}

/** What a plan must know of the process that is to carry it out, and its machine. */
export interface Machine {
  readonly uid: number;
  readonly gid: number;
  /** The memory that there is, in bytes. */
  readonly memory: number;
  /** How many bytes the process may lock, unless it has CAP_IPC_LOCK. */
  readonly lockable: number;
  /** How many bytes of addresses it may still take. */
  readonly addresses: number;
  /** How many files it may have open. */
  readonly files: number;
  capable(capability: number): boolean;
}

/** This process and its machine. */
export function thisMachine(): Machine {
  const [pages = ''] = readFileSync('/proc/self/statm', 'utf8').split(' ');
  return {
    uid: process.getuid?.() ?? 0,
    gid: process.getgid?.() ?? 0,
    memory: totalmem(),
    lockable: getrlimit(RLIMIT_MEMLOCK),
    addresses: getrlimit(RLIMIT_AS) - Number(pages) * PAGE_SIZE,
    files: getrlimit(RLIMIT_NOFILE),
    capable,
  };
}

/**
 * Decides what is to be of a mount: what was said, the defaults for what wasn't, and whether it goes together. Throws a
 * MountError with a sentence when it doesn't.
 */
export function plan(settings: Settings, machine = thisMachine()): Plan {
  const { io = 'direct', transport = 'kernel', secret = false, record, words = [] } = settings;
  const channel = channelInUse(settings.channel);
  const { join = false } = settings;
  if (join) refuseJoin(settings);
  refuseSave(settings);
  const threads =
    settings.threads ??
    (join ? EVENT_LOOP : io === 'passthrough' || secret ? FEWER_THREADS : DEFAULT_THREADS);
  const shared = sharedPlan(settings, machine);
  const wanted = shared === undefined ? filesOf(settings) : [];
  if (transport === 'libfuse') refuseOverLibfuse(io, record, channel);
  if (io === 'passthrough') refusePassthrough(machine);
  if (secret) refuseSecret(settings, wanted);
  const perThread = channel === 'uring' ? THREAD_ADDRESSES + RING_ADDRESSES : THREAD_ADDRESSES;
  const addresses = transport === 'kernel' ? threads * perThread : 0;
  refuseAddresses((io === 'passthrough' ? 0 : wanted.length) * MAPPED_SIZE + addresses, machine);
  refuseFiles(transport, threads, machine);
  const most = secret ? mostOfSecret(io, threads, machine) : Number.POSITIVE_INFINITY;
  const half = wholePages((machine.memory * DEFAULT_SHARE) / 100);
  const files = wanted.map((file): FilePlan => {
    const maxSize = file.maxSize === undefined ? Math.min(half, most) : wholePages(file.maxSize);
    if (maxSize > most || most <= 0) throw tooMuch(file.maxSize, most, machine);
    return {
      name: file.name ?? DEFAULT_NAME,
      mode: file.mode ?? (secret ? SECRET_MODE : DEFAULT_MODE),
      uid: settings.uid ?? machine.uid,
      gid: settings.gid ?? machine.gid,
      maxSize,
      // The kernel leaves a FUSE file's times to who serves it, whatever the mount's flags say.
      atime: keepsAtime(words),
      io,
      secret: secret ? { threads } : undefined,
    };
  });
  return {
    files,
    shared,
    secret,
    modules: settings.modules ?? [],
    transport,
    channel: transport === 'kernel' ? channel : undefined,
    threads,
    record,
    from: settings.restore ?? settings.from,
    save: settings.save,
    log: settings.log,
    verbose: settings.verbose ?? settings.debug ?? false,
    debug: settings.debug ?? false,
    mount: {
      fsname: settings.fsname || FSNAME,
      words,
      allowOther: settings.allowOther ?? false,
      autoUnmount: settings.autoUnmount ?? false,
    },
    nonempty: settings.nonempty ?? false,
  };
}

/** The RAM files that were asked for. */
function filesOf(settings: Settings): readonly FileSettings[] {
  const { file: files, name, mode, maxSize, from, modules } = settings;
  const refuse = (of: Readonly<Record<string, unknown>>, why: (option: string) => string) => {
    const flag = Object.keys(of).find((key) => of[key] !== undefined);
    if (flag !== undefined) throw new MountError(why(flag === 'maxSize' ? '--max-size' : `--${flag}`));
  };
  if (modules !== undefined) {
    const { io, secret } = settings;
    refuse(
      { name, mode, maxSize, from, file: files, io, secret, uid: settings.uid, gid: settings.gid },
      (option) =>
        `Cannot load a module with "${option}": that is of the RAM file of "ramproc mount"; give the module its own parameters, as in name=value.`,
    );
    return [];
  }
  if (files === undefined) return [{ name, mode, maxSize }];
  refuse(
    { name, mode, maxSize, from },
    (option) => `Cannot mount with "--file" and "${option}": "--file name:mode=size" says it of each file.`,
  );
  const names = files.map((file) => file.name);
  const twice = names.find((one, index) => names.indexOf(one) !== index);
  if (twice === undefined) return files;
  throw new MountError(`Cannot mount two files with the name ${quote(twice)}; give each its own.`);
}

/** What goes together with neither saving nor restoring. */
function refuseSave({ save, restore, secret, file, modules, from, on, key }: Settings): void {
  if (save === undefined && restore === undefined) return;
  const option = save === undefined ? '--restore' : '--save';
  const refuse = (other: string, why: string): never => {
    throw new MountError(`Cannot mount with "${option}" and "${other}": ${why}.`);
  };
  if (secret && save !== undefined)
    refuse('--secret', 'it would write the secret to a disk; leave out one of them');
  if (file !== undefined)
    refuse('--file', 'it is of one file; "ramproc save DIR/NAME FILE" saves one of several');
  if (on !== undefined) {
    refuse(
      '--on',
      `the engine keeps the file; "ramproc shared save --key ${key}" copies it, and "load" back`,
    );
  }
  if (modules !== undefined) {
    throw new MountError(
      `Cannot load a module with "${option}": that is of the RAM file of "ramproc mount"; leave it out.`,
    );
  }
  if (from !== undefined && restore !== undefined) {
    throw new MountError(
      'Cannot mount with "--from" and "--restore": each fills the file; leave out one of them.',
    );
  }
}

/** What a daemon that serves others too can't have for one of them. */
function refuseJoin({ secret, transport, channel, from, record, on, save, restore }: Settings): void {
  const refuse = (option: string, why: string): never => {
    throw new MountError(`Cannot mount with "--join" and "${option}": ${why}; leave out one of them.`);
  };
  if (secret) refuse('--secret', 'a secret has a process of its own');
  if (on !== undefined) refuse('--on', 'a file in an engine has a process of its own');
  if (transport === 'libfuse') refuse('--transport libfuse', 'libfuse has a process of its own');
  if (channel === 'uring') refuse('--channel uring', 'its threads are of one mount');
  if (from !== undefined) refuse('--from', 'what you may read need not be what that process may');
  if (restore !== undefined) refuse('--restore', 'what you may read need not be what that process may');
  if (save !== undefined) refuse('--save', 'what you may write need not be what that process may');
  if (record !== undefined) refuse('--record', 'that process may have dropped what it needs for it');
}

/** As tmpfs rounds its `size=` (shmem_parse_one). */
function wholePages(bytes: number): number {
  return Math.ceil(bytes / PAGE_SIZE) * PAGE_SIZE;
}

function refuseOverLibfuse(io: IoMode, record: string | undefined, channel: ChannelInUse): void {
  const instead = 'use "--transport kernel" for it';
  if (io !== 'direct') throw new MountError(`Cannot mount with "--io ${io}" over libfuse 2; ${instead}.`);
  if (channel === 'uring')
    throw new MountError(`Cannot mount with "--channel uring" over libfuse 2; ${instead}.`);
  if (record !== undefined) {
    throw new MountError(`Cannot record over libfuse 2, which keeps the requests; ${instead}.`);
  }
}

/** Source: fuse_backing_open, fs/fuse/backing.c. */
function refusePassthrough(machine: Machine): void {
  if (machine.capable(Capability.SYS_ADMIN)) return;
  throw new MountError(
    `Cannot mount with "--io passthrough": ${lacks.passthroughRights.why}, as root has it outside of user namespaces; ${lacks.passthroughRights.remedy}.`,
  );
}

/** Whatever would leave copies of a secret that nobody could lock or overwrite. */
function refuseSecret({ io, transport, channel, record }: Settings, files: readonly FileSettings[]): void {
  const refuse = (option: string, why: string): never => {
    throw new MountError(`Cannot mount with "--secret" and "${option}": ${why}.`);
  };
  for (const { mode = SECRET_MODE } of files) {
    if (mode & OTHERS)
      refuse(`--mode 0${mode.toString(8)}`, 'a secret is for its owner alone, such as with 0600');
  }
  if (files.length > 1) refuse('--file', 'each secret has a process of its own; mount one after the other');
  if (io === 'cached') refuse('--io cached', 'the page cache would keep copies that cannot be overwritten');
  if (transport === 'libfuse')
    refuse('--transport libfuse', 'libfuse keeps copies that cannot be overwritten');
  if (channel === 'uring')
    refuse('--channel uring', 'the kernel may put the next request where the last was to be overwritten');
  if (record !== undefined) refuse('--record', 'it would write the secret to a file');
}

/** V8 doesn't survive that it gets no addresses for a thread: it ends the process, and leaves the mount behind. */
function refuseAddresses(needed: number, { addresses }: Machine): void {
  if (needed <= addresses) return;
  const left = size(Math.max(addresses, 0));
  throw new MountError(
    `Cannot mount: "ulimit -v" leaves this process ${left} of addresses, and it needs ${size(needed)}; raise it.`,
  );
}

/** Who can open no more files can't unmount either. */
function refuseFiles(transport: Transport, threads: number, { files }: Machine): void {
  const needed = FILES + (transport === 'kernel' ? threads * THREAD_FILES : 0);
  if (needed <= files) return;
  throw new MountError(
    `Cannot mount: "ulimit -n" lets this process open ${files} files, and it needs ${needed}; raise it.`,
  );
}

/** How many bytes of a secret can be locked. With passthrough, its memory is a tmpfs that has no swap. */
function mostOfSecret(io: IoMode, threads: number, machine: Machine): number {
  if (io === 'passthrough') return Number.POSITIVE_INFINITY;
  if (machine.capable(Capability.IPC_LOCK)) return WINDOW_SIZE;
  const left = machine.lockable - lockedBeside(threads);
  return Math.min(WINDOW_SIZE, Math.floor(left / PAGE_SIZE) * PAGE_SIZE);
}

function tooMuch(maxSize: number | undefined, most: number, { lockable }: Machine): MountError {
  const wanted = maxSize === undefined ? 'a secret' : `a secret with --max-size ${size(maxSize)}`;
  if (most === WINDOW_SIZE) {
    return new MountError(
      `Cannot mount ${wanted}: no more than ${size(most)} of it can be mapped; lower --max-size.`,
    );
  }
  return new MountError(
    `Cannot mount ${wanted}: RLIMIT_MEMLOCK lets this process lock ${size(lockable)}, which leaves ${size(Math.max(most, 0))} for the data; lower --max-size or raise "ulimit -l".`,
  );
}
