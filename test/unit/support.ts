import { Errno } from '../../src/sys/errno.ts';

/** The error number that a call threw; undefined when it threw none. Anything but an Errno goes through. */
export function errnoOf(call: () => unknown): number | undefined {
  try {
    call();
    return undefined;
  } catch (error) {
    if (error instanceof Errno) return error.errno;
    throw error;
  }
}
