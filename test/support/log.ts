import { readFileSync } from 'node:fs';

/** Time and process, with which each line of a log begins. */
const HEAD = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z ramproc\[\d+\]: /gm;

/** What is in a log, each line with the command's name in place of time and process. */
export function readLog(path: string): string {
  return readFileSync(path, 'utf8').replaceAll(HEAD, 'ramproc: ');
}
