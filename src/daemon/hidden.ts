import { MountError } from '../mount/mount-error.ts';
import { ownPath } from '../sys/own-module.ts';
import { quote } from '../text/quote.ts';

/**
 * Throws a MountError for a directory whose mount would hide what serves it, of which parts are loaded when they are needed: who looks for them would
 * wait for itself.
 */
export function checkHidesNothing(dir: string): void {
  const inside = dir === '/' ? dir : `${dir}/`;
  const hidden = [ownPath('bin/ramproc.js'), process.execPath].find((path) => path.startsWith(inside));
  if (hidden === undefined) return;
  throw new MountError(
    `Cannot mount on ${quote(dir)}: it would hide ${quote(hidden)}, which serves it; choose another directory.`,
  );
}
