import { mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { bash, shellDir } from '../support/shell.ts';

const PROJECT = join(import.meta.dirname, '../..');

test('a new project has a module that is loaded as it is, with types, and a test that passes and can fail', async () => {
  const dir = shellDir();
  const { status, stdout, stderr } = await bash(dir, 'ramproc new greeter');
  expect([status, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(
    /^greeter\/ has a module and its test\. Next: cd greeter && npm install && npm test; /,
  );
  const project = join(dir, 'greeter');
  expect(readdirSync(project).sort()).toEqual([
    ...['.gitignore', 'greeter.test.ts', 'greeter.ts', 'package.json', 'tsconfig.json'],
  ]);

  // What npm would install.
  mkdirSync(join(project, 'node_modules/@types'), { recursive: true });
  symlinkSync(PROJECT, join(project, 'node_modules/ramproc'));
  for (const name of ['tsx', 'typescript', '@types/node']) {
    const there = dirname(new URL(import.meta.resolve(`${name}/package.json`)).pathname);
    symlinkSync(there, join(project, 'node_modules', name));
  }
  const npm = (script: string) => bash(project, `${script} 2>&1`);
  expect(await npm('npm run --silent test')).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/# pass 1\n|ℹ pass 1\n/),
  });
  expect(await npm('node node_modules/typescript/bin/tsc')).toEqual({ status: 0, stdout: '', stderr: '' });
  const load = `mkdir m && ../ramproc load ./greeter.ts m whom=you >told && cat m/greeter && ../ramproc unload greeter m`;
  expect(await npm(load)).toEqual({ status: 0, stdout: 'hello you\n', stderr: '' });

  await npm(`sed -i 's/hello/bye/' greeter.ts`);
  expect((await npm('npm run --silent test')).status).toBe(1);
});
