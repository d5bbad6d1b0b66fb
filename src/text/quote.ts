import { oneLine } from './one-line.ts';

/** A path in a message: in quotes, with what could break the line or the quotes escaped. */
export function quote(path: string): string {
  return oneLine(JSON.stringify(path));
}
