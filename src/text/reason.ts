import { getSystemErrorMap } from 'node:util';
import { message } from './message.ts';

/** What any call may run into, whatever it was for, and what helps then. */
const LIMITS: Readonly<Record<string, string>> = {
  EAGAIN: 'raise "ulimit -u"',
  EMFILE: 'raise "ulimit -n"',
  ENFILE: 'raise "sysctl fs.file-max"',
  ENOMEM: 'free some, or raise "ulimit -v"',
};

/**
 * The last part of a sentence: why a system call failed, as `CODE, meaning`, and what to do, which is `remedy` unless a limit
 * was in the way. Anything else that was thrown says what it says.
 */
export function reason(error: unknown, remedy?: string): string {
  const known = systemError(error);
  if (known === undefined) return message(error).replace(/\.$/, '');
  const [code, meaning] = known;
  const help = LIMITS[code] ?? remedy ?? (code === 'EPERM' ? 'root needs CAP_SYS_ADMIN for it' : undefined);
  return help === undefined ? `${code}, ${meaning}` : `${code}, ${meaning}; ${help}`;
}

/** Whether a system call failed. Its message is for a program; for a person there is `reason`. */
export function isSystemError(error: unknown): error is Error & { readonly errno: number } {
  return error instanceof Error && 'errno' in error && typeof error.errno === 'number';
}

/** The name of the system call's error, such as `EBUSY`, that is behind what was thrown, if one is. */
export function codeOf(error: unknown): string | undefined {
  for (let at = error; at instanceof Error; at = at.cause) {
    if (isSystemError(at) && 'code' in at && typeof at.code === 'string') return at.code;
  }
  return undefined;
}

/** Name and meaning of a system call's error; of a worker that couldn't be started, Node has the name in the message only. */
function systemError(error: unknown): [code: string, meaning: string] | undefined {
  const table = getSystemErrorMap();
  if (isSystemError(error)) return table.get(-Math.abs(error.errno));
  const [, name] = message(error).match(/^(?:Worker initialization failure: )?(E[A-Z]+)$/) ?? [];
  return [...table.values()].find(([code]) => code === name);
}
