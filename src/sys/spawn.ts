import { constants } from 'node:fs';
import { constants as system } from 'node:os';
import { Errno } from './errno.ts';
import { libc, libcFunction } from './libc.ts';

/** Source: spawn.h, of glibc and of musl. */
const POSIX_SPAWN_SETSIGDEF = 0x04;
const POSIX_SPAWN_SETSIGMASK = 0x08;
const POSIX_SPAWN_SETSID = 0x80;

/** More than a posix_spawn_file_actions_t, a posix_spawnattr_t or a sigset_t takes, in bytes: 80, 336 and 128 with glibc. */
const ROOM = 512;

/** Each of these answers with an error number. */
const spawnFunction = (name: string, parameters: string[]) => {
  const call = libc.func(name, 'int', parameters);
  return (...args: unknown[]): void => {
    const errno: number = call(...args);
    if (errno !== 0) throw new Errno(errno, name);
  };
};

const posixSpawn = spawnFunction('posix_spawn', ['void *', 'str', 'void *', 'void *', 'str *', 'str *']);
const initActions = spawnFunction('posix_spawn_file_actions_init', ['void *']);
const destroyActions = spawnFunction('posix_spawn_file_actions_destroy', ['void *']);
const addOpen = spawnFunction('posix_spawn_file_actions_addopen', ['void *', 'int', 'str', 'int', 'uint']);
const addDup2 = spawnFunction('posix_spawn_file_actions_adddup2', ['void *', 'int', 'int']);
const initAttributes = spawnFunction('posix_spawnattr_init', ['void *']);
const destroyAttributes = spawnFunction('posix_spawnattr_destroy', ['void *']);
const setFlags = spawnFunction('posix_spawnattr_setflags', ['void *', 'short']);
const setDefault = spawnFunction('posix_spawnattr_setsigdefault', ['void *', 'void *']);
const setMask = spawnFunction('posix_spawnattr_setsigmask', ['void *', 'void *']);
const waitpid = libcFunction<[pid: number, status: Int32Array, options: number]>('waitpid', 'int', [
  'int',
  'void *',
  'int',
]);

/** A program, and what it is given. */
export interface Program {
  readonly path: string;
  /** The first is its name. */
  readonly parameters: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** What its descriptors are, from 0: one of this process's, or /dev/null. It has no others, if all are close-on-exec. */
  readonly descriptors: readonly (number | 'null')[];
}

/**
 * Starts a program in a session of its own, in this process's directory, with all signals as they are by default. Returns the process's number. Throws
 * an Errno. Source: posix_spawn(3).
 *
 * For who starts nothing else: node:child_process takes 4 ms to load, with what it needs of sockets, and copies this process's page tables (fork).
 */
export function spawn({ path, parameters, environment, descriptors }: Program): number {
  const [actions, attributes, pid] = [new Uint8Array(ROOM), new Uint8Array(ROOM), new Int32Array(1)];
  initActions(actions);
  initAttributes(attributes);
  try {
    for (const [number, from] of descriptors.entries()) {
      if (from === 'null') addOpen(actions, number, '/dev/null', constants.O_RDWR, 0);
      else addDup2(actions, from, number);
    }
    setFlags(attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSID);
    setDefault(attributes, new Uint8Array(ROOM).fill(0xff));
    setMask(attributes, new Uint8Array(ROOM));
    const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
    posixSpawn(pid, path, actions, attributes, [...parameters, null], [...variables, null]);
  } finally {
    destroyActions(actions);
    destroyAttributes(attributes);
  }
  return pid[0] ?? 0;
}

/** Waits until a process has ended that this one started. Returns how, as `with status 1` or `by SIGKILL`. Source: waitpid(2). */
export function endOf(pid: number): string {
  const status = new Int32Array(1);
  waitpid(pid, status, 0);
  const [word = 0] = status;
  const signal = word & 0x7f;
  if (signal === 0) return `with status ${(word >> 8) & 0xff}`;
  const [name = `signal ${signal}`] =
    Object.entries(system.signals).find(([, number]) => number === signal) ?? [];
  return `by ${name}`;
}
