import { Errno } from '../../src/sys/errno.ts';

/** The name of an error number, such as `ENOSPC`. */
export type ErrnoName = `E${string}`;

/** What a system call answers: its result, or the name of its error. */
export type Answer<T> = T | ErrnoName;

/** The answer of a call that throws its error, as Node's and those of src/sys do. Any other exception goes through. */
export function answer<T>(call: () => T): Answer<T> {
  try {
    return call();
  } catch (error) {
    if (error instanceof Errno || (error instanceof Error && 'errno' in error && 'code' in error)) {
      // Two names of one number; the manual's pages for files have the other one.
      return (error.code === 'ENOTSUP' ? 'EOPNOTSUPP' : String(error.code)) as ErrnoName;
    }
    throw error;
  }
}

/** Whether an answer is an error. */
export function failed<T>(result: Answer<T>): result is ErrnoName {
  return typeof result === 'string' && /^E[A-Z0-9]+$/.test(result);
}

/** The result of a call that has to succeed. Throws when it didn't. */
export function must<T>(result: Answer<T>): T {
  if (failed(result)) throw new Error(`A system call that the test needs failed with ${result}.`);
  return result as T;
}

/** The answer of a call that returns nothing: 0, as in C. */
export function done(call: () => void): Answer<0> {
  return answer(() => {
    call();
    return 0;
  });
}
