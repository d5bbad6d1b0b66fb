import { EndedBySignal } from '../daemon/end-on-signal.ts';
import { MountError } from '../mount/mount-error.ts';
import { message } from '../text/message.ts';
import { oneLine } from '../text/one-line.ts';
import { quote } from '../text/quote.ts';
import { codeOf, isSystemError, reason } from '../text/reason.ts';
import { ExitCode } from './exit-code.ts';
import { UsageError } from './usage-error.ts';

/** What commander says too when it is told something wrong. */
export const HINT = '(add --help for the options)';

/**
 * Says why a command failed and sets the exit status, or ends the process by the signal that told it to. With `json`, what
 * reads standard output is told too.
 */
export function fail(error: unknown, json: boolean): void {
  if (error instanceof EndedBySignal) error.die();
  const why = oneLine(isSystemError(error) ? unforeseen(error) : message(error));
  const status = statusOf(error);
  console.error(`ramproc: ${why}`);
  if (error instanceof UsageError) console.error(HINT);
  if (json) console.log(failureAsJson(why, status, codeOf(error)));
  process.exitCode = status;
}

/** `code`: of the system call that failed, such as `EBUSY`, where it was one. */
export function failureAsJson(error: string, status: ExitCode, code?: string): string {
  return oneLine(JSON.stringify({ error, status, code }));
}

/** Whether a command is to print JSON, also where its words can't be understood. */
export function wantsJson(words: readonly string[]): boolean {
  const end = words.indexOf('--');
  return words.slice(0, end < 0 ? undefined : end).includes('--json');
}

/** What failed on the way to a mount, as a sentence about it. */
export function cannotMount(dir: string, error: unknown): unknown {
  if (!isSystemError(error)) return error;
  return new MountError(`Cannot mount on ${quote(dir)}: ${reason(error)}.`, { cause: error });
}

/** A system call failed of which nobody thought that it could. */
function unforeseen(error: Error): string {
  const what = 'path' in error ? `${quote(String(error.path))}: ` : '';
  return `Cannot go on: ${what}${reason(error)}.`;
}

function statusOf(error: unknown): ExitCode {
  if (error instanceof UsageError) return ExitCode.Usage;
  return error instanceof MountError ? ExitCode.Failure : ExitCode.System;
}
