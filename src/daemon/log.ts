import { closeSync, existsSync, openSync } from 'node:fs';
import { checkAnswers, findDirectory } from '../mount/directory.ts';
import { MountError } from '../mount/mount-error.ts';
import { type MessageForm, messageForm, printAtOnce } from '../sys/console.ts';
import { datagramTo } from '../sys/datagram.ts';
import { replace } from '../sys/descriptor.ts';
import { Errno } from '../sys/errno.ts';
import { message } from '../text/message.ts';
import { quote } from '../text/quote.ts';
import { reason } from '../text/reason.ts';

const STDERR = 2;

/** Where messages go that go to no file. Source: systemd-journald.service(8), syslog(3). */
const sockets = { journal: '/run/systemd/journal/socket', syslog: '/dev/log' } as const;

type Service = keyof typeof sockets;

/** Whether a log is one of those and no file: a file of such a name is `./syslog`. */
export function isService(log: string): log is Service {
  return log in sockets;
}

/** Where the messages of a daemon go that nobody sees and that has no log of its own; undefined: nowhere. */
export function defaultLog(): Service | undefined {
  if (existsSync(sockets.journal)) return 'journal';
  return existsSync(sockets.syslog) ? 'syslog' : undefined;
}

/** Opens what a daemon's messages are written to. Throws a MountError. */
export function openLog(log: string): number {
  try {
    return isService(log) ? datagramTo(sockets[log]) : openSync(log, 'a');
  } catch (error) {
    if (isService(log)) {
      const why = reason(error, 'give --log a file, or start what listens there');
      throw new MountError(`Cannot send messages to ${quote(sockets[log])}: ${why}.`, { cause: error });
    }
    const why = reason(error, 'give --log a file that you may write');
    throw new MountError(`Cannot append messages to ${quote(log)}: ${why}.`, { cause: error });
  }
}

/** Has what this process says from now on go to a log that is open. */
export function logTo(log: string, fd: number): void {
  take(fd);
  formatFor(log);
}

/** The same for one that is standard error already. */
export function formatFor(log: string): void {
  const form: MessageForm = isService(log) ? log : 'file';
  printAtOnce(form);
}

/** Says something that nobody needs to do anything about. In the foreground standard output is for the result. */
export function info(text: string): void {
  if (messageForm() === 'plain') console.error(`ramproc: ${text}`);
  else console.info(text);
}

/**
 * Opens the log again, by its absolute path: the file may have been renamed, to begin a new one, and a service been started
 * again. Source: logrotate(8).
 */
export async function reopenLog(log: string): Promise<void> {
  try {
    if (!isService(log)) await checkWay(log);
    take(openLog(log));
  } catch (error) {
    console.error(`ramproc: ${message(error)} The log goes on in the old file.`);
  }
}

/** Throws a MountError for a path into a mount of this process's, which would wait for itself with each message. */
async function checkWay(log: string): Promise<void> {
  try {
    await checkAnswers(await findDirectory(log));
  } catch (error) {
    // No directory, or what openLog says.
    if (Errno.from(error) instanceof Errno) return;
    throw new MountError(`Cannot append messages to ${quote(log)}: ${message(error)}.`, { cause: error });
  }
}

function take(fd: number): void {
  replace(fd, STDERR);
  closeSync(fd);
}
