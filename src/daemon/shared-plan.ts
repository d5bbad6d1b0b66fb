import { MountError } from '../mount/mount-error.ts';
import { DEFAULT_MODE, DEFAULT_NAME } from '../ram-file/defaults.ts';
import { type Address, parseTarget } from '../shared-file/address.ts';
import { DEFAULT_TIMEOUT } from '../shared-file/defaults.ts';
import { checkKey } from '../shared-file/key.ts';
import { keepsAtime } from '../sys/mount.ts';
import { message } from '../text/message.ts';
import { flagOf, type Settings } from './settings.ts';

/** All that is to be of a file in an engine, but the password, which is in nobody's parameters: see shared-password.ts. */
export interface SharedPlan {
  readonly on: Address;
  readonly key: string;
  readonly name: string;
  /** Of a file that is made. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Of a file that is made, in bytes. Undefined: what the engine has room for. */
  readonly maxSize: number | undefined;
  readonly atime: boolean;
  readonly io: 'direct' | 'cached';
  /** In milliseconds. */
  readonly timeout: number;
  readonly replicas: number;
  readonly recreate: boolean;
  readonly locks: 'shared' | 'local';
}

/** What only a file in an engine can be told. */
const only = ['key', 'passwordFile', 'timeout', 'replicas', 'recreate', 'locks'] as const;

/** Decides what is to be of a file in an engine, if one was asked for. Throws a MountError with a sentence. */
export function sharedPlan(settings: Settings, owner: { uid: number; gid: number }): SharedPlan | undefined {
  const { on, key, io = 'direct', words = [] } = settings;
  if (on === undefined) {
    const said = only.find((name) => settings[name] !== undefined);
    if (said === undefined) return undefined;
    throw new MountError(
      `Cannot mount with "${flagOf(said)}" and without "--on URL", which says where the engine is.`,
    );
  }
  if (key === undefined) {
    throw new MountError(
      'Cannot mount with "--on" and without "--key NAME", which says which of the engine\'s files it is.',
    );
  }
  if (io === 'passthrough') {
    refuse(
      '--io passthrough',
      'the kernel can read and write memory of this machine by itself, and no engine; use "--io cached"',
    );
  }
  if (settings.secret)
    refuse('--secret', 'the engine has the bytes, and nobody can keep its memory from swap and dumps');
  if (settings.transport === 'libfuse')
    refuse('--transport libfuse', 'it knows no locks; use "--transport kernel"');
  if (settings.file !== undefined)
    refuse('--file', 'a mount has one file of an engine; mount one after the other');
  if (settings.from !== undefined)
    refuse('--from', `others may have it open; use "ramproc shared load --key ${key}"`);
  return {
    on: addressOf(on),
    key: checkedKey(key),
    name: settings.name ?? DEFAULT_NAME,
    mode: settings.mode ?? DEFAULT_MODE,
    uid: settings.uid ?? owner.uid,
    gid: settings.gid ?? owner.gid,
    maxSize: settings.maxSize,
    atime: keepsAtime(words),
    io: io === 'cached' ? 'cached' : 'direct',
    timeout: settings.timeout ?? DEFAULT_TIMEOUT,
    replicas: settings.replicas ?? 0,
    recreate: settings.recreate ?? false,
    locks: settings.locks ?? 'shared',
  };
}

function refuse(option: string, why: string): never {
  throw new MountError(`Cannot mount with "--on" and "${option}": ${why}.`);
}

/** The URL isn't said again: there may be a password in it. */
function addressOf(url: string): Address {
  try {
    return parseTarget(url).address;
  } catch (error) {
    throw new MountError(`Cannot use the URL of "--on": ${message(error)}`, { cause: error });
  }
}

function checkedKey(key: string): string {
  try {
    return checkKey(key);
  } catch (error) {
    throw new MountError(`Cannot use "--key": ${message(error)}`, { cause: error });
  }
}
