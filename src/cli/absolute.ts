import { isAbsolute } from 'node:path';
import { isService } from '../daemon/log.ts';
import type { Settings } from '../daemon/settings.ts';
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

/** For a process that starts in another directory. */
export function withAbsolutePaths(settings: Settings): Settings {
  for (const key of ['log', 'record', 'save', 'restore'] as const) {
    const path = settings[key];
    if (path !== undefined && !(key === 'log' && isService(path))) settings[key] = absolute(path);
  }
  return settings;
}
