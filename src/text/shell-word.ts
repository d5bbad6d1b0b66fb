import { oneLine } from './one-line.ts';

/** A path as a shell takes it for one word, and a person can copy it: as it is, or else in quotes, on one line. */
export function shellWord(path: string): string {
  if (/^[\p{L}\p{N}_@%+=:,./-]+$/u.test(path)) return path;
  if (oneLine(path) === path) return `'${path.replaceAll("'", "'\\''")}'`;
  return `$'${oneLine(path.replace(/[\\']/g, '\\$&'))}'`;
}
