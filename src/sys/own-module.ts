import { createRequire } from 'node:module';
import { dirname, extname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Not known in a program that was bundled as CommonJS; that one knows where it itself begins. */
const here: string | undefined = import.meta.url;

/** `require` of this package, or of the program that it was bundled into. */
export function ownRequire(): NodeJS.Require {
  return createRequire(here ?? process.argv[1] ?? join(process.cwd(), 'program'));
}

/**
 * The URL of one of this package's modules, for another thread to load: `path` is where it is in src, without its extension. It is the
 * installed package's also when the caller was bundled into a program: no thread can begin in the middle of that one.
 */
export function ownModule(path: string): string {
  if (here !== undefined && extname(here) === '.ts') return new URL(`../${path}.ts`, here).href;
  return pathToFileURL(join(packageDir(), 'dist', `${path}.js`)).href;
}

/** Whether a module is one of this package's, by its URL. */
export function isOwnModule(url: string): boolean {
  return url.startsWith(new URL('.', ownModule('index')).href);
}

function packageDir(): string {
  try {
    return dirname(ownRequire().resolve('ramproc/package.json'));
  } catch (error) {
    throw new Error(
      'a program into which ramproc was bundled needs the package itself too; run "npm install ramproc" where the program is',
      { cause: error },
    );
  }
}
