import { readdirSync } from 'node:fs';

/** The numbers of all processes that /proc shows. */
export function processes(): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0);
}

/** What `read` finds in /proc, or undefined: a process may be gone by now, or not ours to look at. */
export function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
