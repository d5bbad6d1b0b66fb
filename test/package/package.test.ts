import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { run } from '../support/mount.ts';
import { type Consumer, consumer, PROJECT, tool } from './consumer.ts';

let project: Consumer;
beforeAll(async () => {
  project = await consumer();
});

test('the package has the command, the library with its types, and no more', async () => {
  const files = readdirSync(project.installed).sort();
  expect(files).toEqual(['CHANGELOG.md', 'LICENSE', 'README.md', 'bin', 'dist', 'package.json', 'system']);
  const { stdout } = await run(join(project.dir, 'node_modules/.bin/ramproc'), '--version');
  const manifest = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8'));
  expect(stdout).toBe(`${manifest.version}\n`);
});

test('it takes less than 6 MB, with all that it needs', async () => {
  const notIts = ['typescript', '@types', 'undici-types'].map((name) => `--exclude=${name}`);
  const { stdout } = await run('du', '-sb', ...notIts, join(project.dir, 'node_modules'));
  expect(Number.parseInt(stdout, 10)).toBeLessThan(6e6);
});

test('publint finds nothing', async () => {
  const { status, stdout, stderr } = await run(tool('publint'), 'run', '--strict', project.tarball);
  expect(stdout + stderr).toContain('All good!');
  expect(status).toBe(0);
});

test('its types are those of what is loaded, however somebody imports it', async () => {
  const { status, stdout } = await run(tool('attw'), '--format', 'table-flipped', project.tarball);
  expect(stdout).toContain('No problems found');
  expect(status).toBe(0);
});
