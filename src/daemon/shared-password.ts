import { MountError } from '../mount/mount-error.ts';
import { parseTarget, readPassword } from '../shared-file/address.ts';
import type { Login } from '../shared-file/client.ts';
import { message } from '../text/message.ts';

/** Where a password may be: everybody can see a process's parameters, and only its user its environment. */
const VARIABLE = 'RAMPROC_PASSWORD';

/** The password for an engine: from a file, the environment or the URL, in this order. Throws a MountError with a sentence. */
export function passwordFor(on: string, file: string | undefined): string | undefined {
  try {
    return file === undefined ? (process.env[VARIABLE] ?? parseTarget(on).password) : readPassword(file);
  } catch (error) {
    throw new MountError(message(error), { cause: error });
  }
}

/** An engine, and how to be let in. Throws a MountError with a sentence. */
export function loginOf(on: string, passwordFile: string | undefined): Login {
  try {
    return { address: parseTarget(on).address, password: passwordFor(on, passwordFile) };
  } catch (error) {
    if (error instanceof MountError) throw error;
    throw new MountError(`Cannot use the URL of "--on": ${message(error)}`, { cause: error });
  }
}

/** Has the daemon that this process starts find a password. */
export function leavePassword(password: string | undefined): void {
  if (password === undefined) delete process.env[VARIABLE];
  else process.env[VARIABLE] = password;
}

/** What of that a daemon is given in its environment. */
export function passwordEnvironment(): Record<string, string> {
  const { [VARIABLE]: password } = process.env;
  return password === undefined ? {} : { [VARIABLE]: password };
}

/** The password that the command left; once. */
export function takePassword(): string | undefined {
  const { [VARIABLE]: password } = process.env;
  delete process.env[VARIABLE];
  return password;
}
