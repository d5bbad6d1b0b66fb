import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { mountAt } from '../../src/sys/mountinfo.ts';
import { run } from '../support/mount.ts';
import { makeDir } from '../support/run.ts';

const PROJECT = join(import.meta.dirname, '../..');

/** The program under the README's "Files of your own", mounting on `dir` rather than on a directory of everybody's. */
function readmeProgram(dir: string): string {
  const readme = readFileSync(join(PROJECT, 'README.md'), 'utf8');
  const [, program] = readme.match(/^## Files of your own\n+```ts\n(.*?)^```$/ms) ?? [];
  if (program?.includes("'/tmp/my-proc'") !== true)
    throw new Error('The README has no such program any more.');
  return program.replace("'/tmp/my-proc'", JSON.stringify(dir));
}

/** A project that has installed the package as npm would publish it. */
async function installPackage(): Promise<string> {
  const dir = makeDir('consumer');
  const modules = join(dir, 'node_modules');
  mkdirSync(modules);
  const packed = await run('npm', 'pack', PROJECT, '--silent', '--pack-destination', dir);
  expect(packed.status).toBe(0);
  const unpacked = await run('tar', '-xzf', join(dir, packed.stdout.trim()), '-C', modules);
  expect(unpacked).toEqual({ status: 0, stdout: '', stderr: '' });
  await run('mv', join(modules, 'package'), join(modules, 'ramproc'));
  const { dependencies } = JSON.parse(readFileSync(join(modules, 'ramproc/package.json'), 'utf8'));
  for (const name of [...Object.keys(dependencies), '@types']) {
    symlinkSync(join(PROJECT, 'node_modules', name), join(modules, name));
  }
  return dir;
}

describe('the package, as it is published', () => {
  let consumer: string;
  beforeAll(async () => {
    consumer = await installPackage();
  });

  test('has the command, the library with its types, and no more', async () => {
    const files = readdirSync(join(consumer, 'node_modules/ramproc')).sort();
    expect(files).toEqual(['CHANGELOG.md', 'LICENSE', 'README.md', 'bin', 'dist', 'package.json']);
    const { stdout } = await run('node', join(consumer, 'node_modules/ramproc/bin/ramproc.js'), '--version');
    const manifest = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8'));
    expect(stdout).toBe(`${manifest.version}\n`);
  });

  test("serves the README's program, which type checks, and ends with it on SIGINT", async () => {
    const dir = makeDir('my-proc');
    writeFileSync(join(consumer, 'program.mts'), readmeProgram(dir));
    writeFileSync(
      join(consumer, 'tsconfig.json'),
      JSON.stringify({
        compilerOptions: { module: 'nodenext', target: 'es2022', strict: true, types: ['node'] },
        files: ['program.mts'],
      }),
    );
    const compiled = await run(join(PROJECT, 'node_modules/.bin/tsc'), '-p', consumer);
    expect(compiled).toEqual({ status: 0, stdout: '', stderr: '' });

    // It has mounted, and can be used, a moment before it listens for SIGINT.
    const tell = "process.on('newListener', (name) => name === 'SIGINT' && console.log('listens'))";
    writeFileSync(join(consumer, 'tell.mjs'), tell);
    const preload = `--import=${join(consumer, 'tell.mjs')}`;
    const program = spawn(process.execPath, [preload, join(consumer, 'program.mjs')], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    for (const stream of [program.stdout, program.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        said += text;
      });
    }
    const ended = once(program, 'close');
    try {
      await expect.poll(() => mountAt(dir)?.type).toBe('fuse.ramproc');
      for (let i = 0; i < 3; i++) {
        const { stdout, stderr } = await run('cat', `${dir}/uptime`);
        expect(stderr).toBe('');
        expect(stdout).toMatch(/^\d+(\.\d+)?\n$/);
      }
      await expect.poll(() => said).toBe('listens\n');
    } finally {
      program.kill('SIGINT');
    }
    // It unmounts, and then ends as any program that is interrupted.
    expect(await ended).toEqual([null, 'SIGINT']);
    expect(said).toBe('listens\n');
    expect(mountAt(dir)).toBeUndefined();
  });
});
