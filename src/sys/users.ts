import koffi from 'koffi';
import { libc, libcFunction } from './libc.ts';

/** Where struct passwd and struct group have their numbers, in glibc and in musl: behind a name and a password. */
const ID = 16;
const PRIMARY_GROUP = 20;

const find = {
  user: libc.func('getpwnam', 'void *', ['str']),
  group: libc.func('getgrnam', 'void *', ['str']),
};

const initgroups = libcFunction<[user: string, group: number]>('initgroups', 'int', ['str', 'uint']);

export interface User {
  readonly name: string;
  readonly uid: number;
  /** The number of the primary group. */
  readonly gid: number;
}

/** The user of a name, wherever this system keeps users; undefined when there is none. Source: getpwnam(3). */
export function userNamed(name: string): User | undefined {
  const entry = find.user(name);
  if (entry === null) return undefined;
  return {
    name,
    uid: koffi.decode(entry, ID, 'uint32_t'),
    gid: koffi.decode(entry, PRIMARY_GROUP, 'uint32_t'),
  };
}

/** The number of the group of a name; undefined when there is none. Source: getgrnam(3). */
export function groupNamed(name: string): number | undefined {
  const entry = find.group(name);
  return entry === null ? undefined : koffi.decode(entry, ID, 'uint32_t');
}

/** Gives this process the rights of a user, all its groups among them, for good. Throws an Errno, or Node's system error. */
export function becomeUser({ name, uid, gid }: User): void {
  initgroups(name, gid);
  process.setgid?.(gid);
  process.setuid?.(uid);
}
