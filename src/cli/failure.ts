import { MountError } from '../mount/mount-error.ts';
import { message } from '../text/message.ts';
import { oneLine } from '../text/one-line.ts';
import { isSystemError, reason } from '../text/reason.ts';
import { ExitCode } from './exit-code.ts';
import { UsageError } from './usage-error.ts';

/** What commander says too when it is told something wrong. */
export const HINT = '(add --help for the options)';

/** Says why a command failed, and sets the exit status. */
export function fail(error: unknown): void {
  const why = isSystemError(error) ? `Cannot go on: ${reason(error)}.` : message(error);
  console.error(oneLine(`ramproc: ${why}`));
  if (error instanceof UsageError) console.error(HINT);
  process.exitCode = statusOf(error);
}

function statusOf(error: unknown): ExitCode {
  if (error instanceof UsageError) return ExitCode.Usage;
  return error instanceof MountError ? ExitCode.Failure : ExitCode.System;
}
