/**
 * Makes the package's JavaScript in dist/: a few files instead of one for each module, since a start reads all that it needs, and one
 * after the other. Names and lines are left as they are, for stack traces.
 */

import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type BuildOptions, build } from 'esbuild';
import { entryPoints } from './entry-points.ts';

const PROJECT = join(import.meta.dirname, '..');
const DIST = join(PROJECT, 'dist');
const CHUNKS = 'chunks';

const common = {
  absWorkingDir: PROJECT,
  outbase: 'src',
  outdir: 'dist',
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  packages: 'external',
  sourcemap: true,
  logLevel: 'warning',
} satisfies BuildOptions;

/** Removed first, for their names tell what is in them. */
rmSync(join(DIST, CHUNKS), { recursive: true, force: true });

/** What both a program and a thread of it may load is in files of its own: procRoot, Errno and all else are there once. */
await build({
  ...common,
  splitting: true,
  chunkNames: `${CHUNKS}/[name]-[hash]`,
  entryPoints: [
    'src/all.ts',
    'src/daemon-main.ts',
    'src/transport/kernel/worker-thread/worker.ts',
    'src/ram-file/ram-file.ts',
    'src/daemon/modules/hook.ts',
    'src/daemon/modules/resolve.ts',
  ],
});

/** No module of somebody else's runs in these. */
await build({ ...common, entryPoints: ['src/transport/kernel/notifier-thread/notifier.ts'] });
await build({
  ...common,
  entryPoints: ['src/cli/main.ts'],
  // As CommonJS, which Node loads faster.
  format: 'cjs',
  outExtension: { '.js': '.cjs' },
  define: { 'import.meta.url': 'moduleUrl' },
  banner: { js: "const moduleUrl = require('node:url').pathToFileURL(__filename).href;" },
});

/** The entry points for those who use the package name what is theirs. */
for (const entry of entryPoints) {
  const { metafile } = await build({
    ...common,
    entryPoints: [`src/${entry}.ts`],
    sourcemap: false,
    metafile: true,
    write: false,
  });
  const names = metafile.outputs[`dist/${entry}.js`]?.exports.join(', ');
  writeFileSync(join(DIST, `${entry}.js`), `export { ${names} } from './all.js';\n`);
}
