import koffi from 'koffi';
import { libc } from './libc.ts';

const getpwuid = libc.func('getpwuid', 'void *', ['uint32']);

/** A user's name, or the number where it has none. Source: getpwuid(3). */
export function userName(uid: number): string {
  const entry = getpwuid(uid);
  return entry === null ? String(uid) : koffi.decode(entry, 0, 'str');
}
