import { statSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { builtInModule } from '../daemon/modules/import.ts';
import { MountError } from '../mount/mount-error.ts';
import { reason } from '../text/reason.ts';
import { absolute } from './absolute.ts';

/** How a module is said on a command line, for --help. */
export const MODULE_HELP = 'its file (.js, .mjs, .ts), the name of its package, or rust_proc_ram_file';

/** Which module a word means: in the directory in which it was said. Throws a MountError that begins with `failure`. */
export function whichModule(word: string, failure: string) {
  const from = `${pathToFileURL(absolute('.')).href}/`;
  const own = builtInModule(word);
  if (own !== undefined) return { module: word, specifier: own.name, from };
  if (!/^\.{0,2}\/|\.[cm]?[jt]s$/.test(word)) return { module: word, specifier: word, from };
  const path = absolute(word);
  try {
    if (statSync(path).isDirectory()) throw new Error('it is a directory; give the file in it');
  } catch (error) {
    const why = reason(error, 'give the path of a file, or the name of a package');
    throw new MountError(`${failure}: ${why}.`, { cause: error });
  }
  return { module: word, specifier: pathToFileURL(path).href, from };
}
