import { closeSync, openSync } from 'node:fs';
import { MountError } from '../mount/mount-error.ts';
import { replace } from '../sys/descriptor.ts';
import { ENOENT, Errno } from '../sys/errno.ts';
import { quote } from '../text/quote.ts';
import { reason } from '../text/reason.ts';

/** Standard input, from which a daemon reads what its file is filled with. */
export const SOURCE = 0;

/**
 * Makes the file that `--from` names this process's standard input, for the daemon to inherit. Opened here, where
 * /dev/stdin, /dev/fd/7 and a shell's <(command) mean what they mean to who said them, and with that user's rights. Throws a
 * MountError.
 *
 * `isRestored`: `--restore` names it, and it may be missing. Returns whether it is there.
 */
export function takeSource(from: string, isRestored: boolean): boolean {
  try {
    if (from !== '-' || isRestored) putInPlace(from);
    return true;
  } catch (error) {
    const errno = Errno.from(error);
    if (isRestored && errno instanceof Errno && errno.errno === ENOENT) return false;
    const option = isRestored ? '--restore' : '--from';
    throw cannotFill(from, reason(error, `give ${option} a file that you may read`), error);
  }
}

/** Lets go of what standard input was. */
export function closeSource(): void {
  putInPlace('/dev/null');
}

function putInPlace(path: string): void {
  const fd = openSync(path, 'r');
  replace(fd, SOURCE);
  closeSync(fd);
}

export function cannotFill(from: string, why: string, cause: unknown): MountError {
  const name = from === '-' ? 'standard input' : quote(from);
  return new MountError(`Cannot fill the file from ${name}: ${why}.`, { cause });
}
