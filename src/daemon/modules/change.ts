import type { FileChange } from '../../ram-file/module.ts';
import type { RamFile } from '../../ram-file/ram-file.ts';
import { WINDOW_SIZE } from '../../ram-file/sizes.ts';
import { EINVAL, ENOMEM, EPERM, Errno } from '../../sys/errno.ts';
import { quote } from '../../text/quote.ts';
import { reason } from '../../text/reason.ts';
import { exactSize, size } from '../../text/size.ts';
import { OTHERS } from '../settings.ts';

/** Throws an Error with the last part of a sentence for what a file can't become, as far as that is known before. */
export function checkChange(file: RamFile | undefined, { maxSize, mode = 0 }: FileChange): void {
  if (file === undefined) return;
  if (file.isSecret && mode & OTHERS)
    throw new Error(
      `"--mode 0${mode.toString(8)}" can't be: a secret is for its owner alone, such as with 0600`,
    );
  if (maxSize === undefined) return;
  const { used, size: page } = file.pages;
  if (maxSize <= (used - 1) * page) {
    throw new Error(
      `it takes ${exactSize(used * page)}, more than the ${exactSize(maxSize)} that it is to have; make the file smaller first, or say more`,
    );
  }
  if (file.isSecret && !file.isLent && maxSize > WINDOW_SIZE) {
    throw new Error(`no more than ${size(WINDOW_SIZE)} of a secret can be mapped; lower --max-size`);
  }
}

/** Why a file isn't what it was to become, as an Error with the last part of a sentence. */
export function whyNotChanged(name: string, error: unknown): Error {
  const errno = error instanceof Errno ? error.errno : undefined;
  if (errno === EINVAL) {
    // Somebody has written meanwhile, or it lies in an engine.
    return new Error(`${quote(name)} takes more than that now; make the file smaller first, or say more`, {
      cause: error,
    });
  }
  if (errno === ENOMEM || errno === EPERM) {
    const why = 'RLIMIT_MEMLOCK lets its daemon lock no more memory; remount it as root, or say less';
    return new Error(why, { cause: error });
  }
  return new Error(reason(error), { cause: error });
}
