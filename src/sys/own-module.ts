import { existsSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

/**
 * The URL of an ES module, or the path of one of this package's in CommonJS. Not known in a program that was bundled as CommonJS; that one
 * knows where it itself begins.
 */
const here: string | undefined = import.meta.url;

/**
 * Where the command, the daemon and its threads are, as CommonJS, for what is there itself: dist/run. Whoever imports the package has what is
 * in dist. Known by a file that is there: to have Node look for the package takes 2 ms of each start.
 */
const run =
  here?.startsWith('/') && existsSync(join(dirname(here), 'daemon-main.cjs')) ? dirname(here) : undefined;

/** `require` of this package, or of the program that it was bundled into. What it is made by is loaded with its first use: it takes a millisecond. */
export function ownRequire(): NodeJS.Require {
  const { createRequire } = process.getBuiltinModule('node:module');
  return createRequire(here ?? process.argv[1] ?? join(process.cwd(), 'program'));
}

/**
 * The URL of one of this package's modules, for another thread to load: `path` is where it is in src, without its extension. It is the
 * installed package's also when the caller was bundled into a program: no thread can begin in the middle of that one.
 */
export function ownModule(path: string): string {
  return own(path, '.cjs');
}

/** The URL of what somebody's module imports of this package: `index`, `testing` or `redis`. */
export function ownEntry(name: string): string {
  return own(name, '.js');
}

/** `extension`: what it has among what runs by itself. */
function own(path: string, extension: string): string {
  if (here !== undefined && extname(here) === '.ts') return new URL(`../${path}.ts`, here).href;
  return pathToFileURL(run === undefined ? ownPath(`dist/${path}.js`) : join(run, basename(path) + extension))
    .href;
}

/** Whether a module is one of this package's, by its URL. */
export function isOwnModule(url: string): boolean {
  return url.startsWith(new URL('.', ownEntry('index')).href);
}

/** The path of a file of this package, by where it is in that. */
export function ownPath(path: string): string {
  if (run !== undefined) return join(run, '../..', path);
  try {
    return join(dirname(ownRequire().resolve('ramproc/package.json')), path);
  } catch (error) {
    throw new Error(
      'a program into which ramproc was bundled needs the package itself too; run "npm install ramproc" where the program is',
      { cause: error },
    );
  }
}
