import { isAbsolute } from 'node:path';
import { MountError } from '../mount/mount-error.ts';
import { quote } from '../text/quote.ts';

/** As the kernel takes it: `link/..` isn't where `link` stands. */
export function absolute(path: string): string {
  if (path === '' || isAbsolute(path)) return path;
  try {
    return `${process.cwd()}/${path}`;
  } catch (error) {
    throw new MountError(
      `Cannot find ${quote(path)}: the working directory is gone; change to another, or give an absolute path.`,
      { cause: error },
    );
  }
}
