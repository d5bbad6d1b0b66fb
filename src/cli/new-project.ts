import { manifest } from '../sys/manifest.ts';

/** The files of a new module's project, by name. */
export function newProject(name: string): Readonly<Record<string, string>> {
  return {
    'package.json': `${JSON.stringify(packageOf(name), undefined, 2)}\n`,
    'tsconfig.json': `${JSON.stringify(tsconfig, undefined, 2)}\n`,
    '.gitignore': 'node_modules\n',
    [`${name}.ts`]: moduleOf(name),
    [`${name}.test.ts`]: testOf(name),
  };
}

function packageOf(name: string) {
  return {
    name,
    version: '0.1.0',
    private: true,
    type: 'module',
    exports: `./${name}.ts`,
    scripts: { test: `node --import tsx --test ${name}.test.ts`, types: 'tsc' },
    dependencies: { ramproc: `^${manifest().version}` },
    devDependencies: { '@types/node': '^20.19.0', tsx: '^4.20.0', typescript: '^5.8.0' },
  };
}

const tsconfig = {
  compilerOptions: {
    ...{ target: 'es2023', lib: ['es2023', 'esnext.disposable'], module: 'nodenext', types: ['node'] },
    ...{ strict: true, noEmit: true, allowImportingTsExtensions: true, erasableSyntaxOnly: true },
  },
};

function moduleOf(name: string): string {
  return `import { defineModule, procCreateSingle } from 'ramproc';

export default defineModule({
  name: '${name}',
  description: 'greets whoever reads it',
  license: 'MIT',
  parameters: {
    whom: { type: 'string', default: 'world', description: 'who is greeted', writable: true },
  },
  init({ root, parameters, log }) {
    log(\`greets \${parameters.whom}\`);
    return procCreateSingle('${name}', 0o444, root, () => \`hello \${parameters.whom}\\n\`);
  },
});
`;
}

function testOf(name: string): string {
  return `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { procMkdir } from 'ramproc';
import { openEntry } from 'ramproc/testing';
import module from './${name}.ts';

test('it greets who is to be greeted', async () => {
  const root = procMkdir('test', 0o555, null);
  const parameters = { whom: 'you' };
  await module.init({ root, parameters, log() {} });
  const file = await openEntry(root, '${name}');
  assert.equal(await file.text(), 'hello you\\n');
  await file.close();
});
`;
}
