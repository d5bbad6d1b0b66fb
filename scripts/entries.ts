/**
 * Makes the package's entry points for those who use it, from what the compiler made in dist/: CommonJS beside each module, as the same
 * module by `require`, for there is one procRoot; and the declarations of what an entry point names, directly or not, and no more.
 *
 * Those are written down once, for CommonJS, and the modules' own hand them on: modules may import CommonJS with every compiler, and
 * not the other way round before TypeScript 5.8.
 */

import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { entryPoints } from './entry-points.ts';

const DIST = join(import.meta.dirname, '../dist');
const DECLARATIONS = join(DIST, 'declarations');

/** What the declarations use of the language, and of the platform; the compiler of who uses the package may be told of neither. */
const HEAD = `/// <reference lib="es2018.asynciterable" />
/// <reference lib="esnext.disposable" />
declare global {
  interface AbortSignal {}
}
`;

/** The texts of the declarations that are needed, by their path. */
const needed = new Map<string, string>();

function need(path: string): void {
  if (needed.has(path)) return;
  const text = readFileSync(join(DECLARATIONS, `${path}.d.ts`), 'utf8');
  needed.set(path, text);
  for (const [, other = ''] of text.matchAll(/(?:from |import\()'(\.[^']*)\.ts'/g))
    need(join(dirname(path), other));
}

entryPoints.forEach(need);
for (const name of readdirSync(DIST, { recursive: true, encoding: 'utf8' })) {
  if (name.endsWith('.d.cts')) rmSync(join(DIST, name));
}
for (const [path, text] of needed) {
  mkdirSync(join(DIST, dirname(path)), { recursive: true });
  const head = entryPoints.includes(path) ? HEAD : '';
  writeFileSync(join(DIST, `${path}.d.cts`), head + text.replaceAll(/'(\.[^']*)\.ts'/g, "'$1.cjs'"));
}
for (const entry of entryPoints) {
  writeFileSync(join(DIST, `${entry}.d.ts`), `export * from './${entry}.cjs';\n`);
  writeFileSync(join(DIST, `${entry}.cjs`), `module.exports = require('./${entry}.js');\n`);
}
