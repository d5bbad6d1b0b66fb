import { closeSync, openSync } from 'node:fs';
import { MountError } from '../mount/mount-error.ts';
import { replace } from '../sys/descriptor.ts';
import { message } from '../text/message.ts';
import { quote } from '../text/quote.ts';
import { reason } from '../text/reason.ts';

const STDERR = 2;

/** Opens the file that a daemon's messages are appended to. Throws a MountError. */
export function openLog(path: string): number {
  try {
    return openSync(path, 'a');
  } catch (error) {
    const why = reason(error, 'give --log a file that you may write');
    throw new MountError(`Cannot append messages to ${quote(path)}: ${why}.`, { cause: error });
  }
}

/** Has what this process says from now on go to an open file. */
export function logTo(fd: number): void {
  replace(fd, STDERR);
  closeSync(fd);
}

/** Opens the log again, by its absolute path: the file may have been renamed, to begin a new one. Source: logrotate(8). */
export function reopenLog(path: string): void {
  try {
    logTo(openLog(path));
  } catch (error) {
    console.error(`ramproc: ${message(error)} The log goes on in the old file.`);
  }
}
