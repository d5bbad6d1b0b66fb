import { copyFileSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { build, stop } from 'esbuild';

const PROJECT = join(import.meta.dirname, '../..');

/** Where the JavaScript of a file is: that of src is where the package has its own, so that src finds its threads' modules. */
function placeOf(file: string): string {
  return file.replace(/^src\//, 'dist/').replace(/\.ts$/, '');
}

function sourcesIn(dir: string): string[] {
  return readdirSync(join(PROJECT, dir), { recursive: true, encoding: 'utf8' })
    .filter((name) => /(?<!\.test|\.d)\.ts$/.test(name))
    .map((name) => join(dir, name));
}

/**
 * Makes JavaScript of what tests start in processes of their own, in a directory that looks like the project: a file for each, which
 * imports what its source imports. To start tsx for each process and each of its threads takes many times as much of the processor.
 */
export async function compile(dir: string): Promise<void> {
  const sources = ['src', 'test', 'scripts/bench'].flatMap(sourcesIn);
  await build({
    absWorkingDir: PROJECT,
    entryPoints: sources.map((file) => ({ in: file, out: placeOf(file) })),
    outdir: dir,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
    logLevel: 'warning',
    plugins: [
      {
        name: 'imports',
        setup(made) {
          made.onResolve({ filter: /.*/ }, ({ path, kind }) => {
            if (kind === 'entry-point') return undefined;
            if (!path.startsWith('.')) return { path, external: true };
            return { path: path.replace('/src/', '/dist/').replace(/\.ts$/, '.js'), external: true };
          });
        },
      },
    ],
  });
  await stop();
  copyFileSync(join(PROJECT, 'package.json'), join(dir, 'package.json'));
  symlinkSync(join(PROJECT, 'node_modules'), join(dir, 'node_modules'));
}
