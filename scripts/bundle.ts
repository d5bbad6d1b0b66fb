/**
 * Makes the package's JavaScript in dist/: a few files instead of one for each module, since a start reads all that it needs, and one
 * after the other. Names and lines are left as they are, for stack traces.
 */

import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { type BuildOptions, build, type Plugin, transform } from 'esbuild';
import { asCommonJs } from './common-js.ts';
import { entryPoints } from './entry-points.ts';
import { packed } from './pack.ts';

const PROJECT = join(import.meta.dirname, '..');
const DIST = join(PROJECT, 'dist');
/** For what runs by itself: see own-module.ts. */
const RUN = join(DIST, 'run');
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

/** What both a program and a thread of it may load is in files of its own: procRoot, Errno and all else are there once. */
const split = { ...common, splitting: true, chunkNames: `${CHUNKS}/[name]-[hash]` } satisfies BuildOptions;

/** commander is in the command, without what it would start a program with for a subcommand: that takes 4 ms to load. */
const commander: Plugin = {
  name: 'commander',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:child_process$/ }, ({ importer }) =>
      importer.includes('/node_modules/commander/') ? { path: 'nothing', namespace: 'commander' } : undefined,
    );
    onLoad({ filter: /./, namespace: 'commander' }, () => ({ contents: '' }));
  },
};

const threads = [
  'src/transport/kernel/worker-thread/worker.ts',
  'src/transport/kernel/notifier-thread/notifier.ts',
  'src/ram-file/ram-file.ts',
];

/** Removed first, for their names tell what is in them. */
for (const dir of [join(DIST, CHUNKS), RUN]) rmSync(dir, { recursive: true, force: true });

/** The library, for who imports it, and who bundles it. */
await build({ ...split, entryPoints: ['src/all.ts', ...threads] });

/** The command, the daemon and its threads, and the library for modules that are loaded into it: as CommonJS, which Node loads faster. */
const { outputFiles, metafile: built } = await build({
  ...split,
  outdir: 'dist/run',
  entryNames: '[name]',
  chunkNames: '[name]-[hash]',
  sourcemap: false,
  metafile: true,
  outExtension: { '.js': '.cjs' },
  define: { 'import.meta.url': '__filename' },
  alias: { koffi: './src/sys/koffi.ts', commander: './node_modules/commander/esm.mjs' },
  plugins: [commander],
  entryPoints: [
    'src/cli/main.ts',
    'src/daemon-main.ts',
    'src/all.ts',
    'src/daemon/modules/hook.ts',
    'src/daemon/modules/resolve.ts',
    ...threads,
  ],
  write: false,
});
const files = new Map(outputFiles.map(({ path, text }) => [relative(PROJECT, path), asCommonJs(text)]));
const programs = {
  mount: ['src/cli/main.ts', 'src/cli/mount.ts'],
  unmount: ['src/cli/main.ts', 'src/cli/unmount.ts'],
  daemon: ['src/daemon-main.ts', 'src/transport/kernel/main-thread/begun.ts', 'src/cli/serve-order.ts'],
  worker: ['src/transport/kernel/worker-thread/worker.ts', 'src/ram-file/ram-file.ts'],
};
for (const [path, text] of packed(files, built, programs)) {
  mkdirSync(join(PROJECT, dirname(path)), { recursive: true });
  // The package is to take less than 6 MB. Names are for stack traces.
  const { code } = await transform(text, {
    minifyWhitespace: true,
    minifySyntax: true,
    lineLimit: 110,
    platform: 'node',
  });
  writeFileSync(join(PROJECT, path), code);
}

// It asks for that where it is copied to.
copyFileSync(join(PROJECT, 'node_modules/commander/LICENSE'), join(RUN, 'commander-LICENSE'));

/** The entry points name what is theirs: for those who use the package, and for modules in a daemon, who get the daemon's own. */
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
  writeFileSync(
    join(RUN, `${entry}.js`),
    `import { createRequire } from 'node:module';\nexport const { ${names} } = createRequire(import.meta.url)('./all.cjs');\n`,
  );
}
