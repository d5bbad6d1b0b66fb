import { mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { build, type Format, stop } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mountAt } from '../../src/sys/mountinfo.ts';
import { run } from '../support/mount.ts';
import { makeDir } from '../support/run.ts';
import { type Consumer, consumer, Started } from './consumer.ts';

let project: Consumer;
beforeAll(async () => {
  project = await consumer();
});
afterAll(stop);

/** A program that publishes a file of its own and a RAM file, which a worker serves. */
const body = `
procCreateSingle('hello', 0o444, null, () => 'hello\\n');
RustProcRamFile.init(null, { maxSize: 1 << 20 });
mount(procRoot, process.argv.at(-1));
`;
const names = '{ mount, procCreateSingle, procRoot, RustProcRamFile }';
const asModule = `import ${names} from 'ramproc';${body}`;
const asCommonJs = `const ${names} = require('ramproc');${body}`;

/** Runs a program of the project, and uses what it mounts. */
async function serves(path: string): Promise<void> {
  const started = await Started.node(path);
  const { dir } = started;
  try {
    expect(await run('cat', `${dir}/hello`)).toEqual({ status: 0, stdout: 'hello\n', stderr: '' });
    await run('sh', '-c', `echo bytes >${dir}/rust-proc-file`);
    expect((await run('cat', `${dir}/rust-proc-file`)).stdout).toBe('bytes\n');
  } finally {
    expect(await started.end()).toBe('SIGINT');
  }
  expect(started.said).toBe('');
  expect(mountAt(dir)).toBeUndefined();
}

function write(name: string, text: string): string {
  const path = join(project.dir, name);
  writeFileSync(path, text);
  return path;
}

test('serves an ES module', () => serves(write('module.mjs', asModule)));

test('serves a CommonJS program', () => serves(write('common.cjs', asCommonJs)));

test('is there once, however often it is loaded, and in what way', async () => {
  const same = `import * as module from 'ramproc';
    import { createRequire } from 'node:module';
    const common = createRequire(import.meta.url)('ramproc');
    const keys = Object.keys(module);
    console.log(keys.length > 40 && keys.every((key) => module[key] === common[key]));`;
  expect((await run(process.execPath, write('same.mjs', same))).stdout).toBe('true\n');
});

describe.for<Format>(['esm', 'cjs'])('a bundle, as %s', (format) => {
  let bundle: string;
  beforeAll(async () => {
    bundle = join(project.dir, `bundle.${format === 'esm' ? 'mjs' : 'cjs'}`);
    await build({
      stdin: { contents: asModule, resolveDir: project.dir },
      outfile: bundle,
      bundle: true,
      platform: 'node',
      format,
      external: ['koffi'],
      // A bundle as CommonJS has no import.meta, which esbuild says; it isn't needed there.
      logLevel: 'error',
    });
  });

  test('has all of ramproc in it, and is served', async () => {
    expect(readFileSync(bundle, 'utf8')).not.toMatch(/from ['"]ramproc|require\(['"]ramproc['"]\)/);
    await serves(bundle);
  });

  test('says what it needs where the package is not, and leaves nothing mounted', async () => {
    const [alone, dir] = [makeDir('alone'), makeDir('mounted')];
    mkdirSync(join(alone, 'node_modules'));
    for (const name of ['koffi', '@koromix']) {
      symlinkSync(join(project.dir, 'node_modules', name), join(alone, 'node_modules', name));
    }
    const path = join(alone, basename(bundle));
    renameSync(bundle, path);
    const { status, stderr } = await run(process.execPath, path, dir);
    expect(stderr).toContain(
      'a program into which ramproc was bundled needs the package itself too; run "npm install ramproc" where the program is',
    );
    expect(status).toBe(1);
    expect(mountAt(dir)).toBeUndefined();
  });
});
