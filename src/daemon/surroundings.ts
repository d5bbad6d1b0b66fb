import { RLIMIT_AS, RLIMIT_CPU, RLIMIT_DATA, RLIMIT_FSIZE, RLIMIT_NPROC, raiseLimit } from '../sys/rlimit.ts';
import { size } from '../text/size.ts';

/**
 * What of the environment a daemon is given: where to find fusermount3, the language and the time of its messages, and where
 * who started it keeps sockets. Anything else may change what Node or a library does, and that is nobody's to decide.
 */
const GIVEN = /^(PATH|HOME|LANG|LANGUAGE|LC_[A-Z]+|TZ|XDG_RUNTIME_DIR|NOTIFY_SOCKET)$/;

/** The part of this process's environment that a daemon is given. */
export function givenEnvironment(): Record<string, string> {
  const given = Object.entries(process.env).filter(([name]) => GIVEN.test(name));
  return Object.fromEntries(given.map(([name, value = '']) => [name, value]));
}

/**
 * Raises the limits of this process, and so of the daemon that it starts, as far as they may be raised: clients should
 * get the same whoever started it. Says of those that they will feel all the same.
 */
export function raiseLimits(notice: (message: string) => void): void {
  for (const limit of [RLIMIT_AS, RLIMIT_DATA, RLIMIT_NPROC]) raiseLimit(limit);
  const bytes = raiseLimit(RLIMIT_FSIZE);
  if (Number.isFinite(bytes)) {
    notice(`the file can't be longer than ${size(bytes)}, the limit of who started it; raise "ulimit -f".`);
  }
  const seconds = raiseLimit(RLIMIT_CPU);
  if (Number.isFinite(seconds)) {
    notice(
      `the kernel will kill the daemon once it has used ${seconds} s of CPU time, the limit of who started it; raise "ulimit -t".`,
    );
  }
}
