import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { mountAt } from '../../src/sys/mountinfo.ts';
import { type Ended, run } from '../support/mount.ts';
import { makeDir } from '../support/run.ts';
import { type Consumer, consumer, must, PROJECT, Started } from './consumer.ts';

const readme = readFileSync(join(PROJECT, 'README.md'), 'utf8');

let project: Consumer;
beforeAll(async () => {
  project = await consumer();
});

/** The code of a language under a heading. */
function code(heading: string, language: string): string {
  const section = readme.split(/^## /m).find((text) => text.startsWith(`${heading}\n`)) ?? '';
  const [, text] = section.match(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, 'ms')) ?? [];
  if (text === undefined) throw new Error(`The README has no ${language} under "${heading}" any more.`);
  return text;
}

test('its links and pictures work where nothing else of the repository is, as on the page of a registry', () => {
  const anchors = [...readme.matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
    `#${title.toLowerCase().replace(/[^\w -]/g, '')}`.replaceAll(' ', '-'),
  );
  const links = [...readme.matchAll(/\]\(([^)]*)\)/g)].map(([, link = '']) => link);
  expect(links.filter((link) => !link.startsWith('https://') && !anchors.includes(link))).toEqual([]);
});

test('the commands that it begins with do what they are said to', async () => {
  const dir = makeDir('readme');
  const [install, ...commands] = code('Try it', 'sh').trimEnd().split('\n');
  expect(install).toBe('npm install --global ramproc');
  const script = `set -e; export PATH="${project.dir}/node_modules/.bin:$PATH"; cd "$1"; ${commands.join('\n')}`;
  const { stdout, stderr } = await must(run('bash', '-c', script, 'bash', dir));
  expect(stdout).toMatch(/^hello$/m);
  expect(stderr).toMatch(/67108864 bytes/);
  expect(mountAt(`${dir}/mnt`)).toBeUndefined();
});

describe('the program under', () => {
  const programs = [
    ['Try it', "'mnt'", 'try'],
    ['Files of your own', "'/tmp/my-proc'", 'own'],
  ] as const;
  let dir: string;
  let compiling: Promise<Ended>;
  beforeAll(() => {
    dir = join(project.dir, 'readme');
    mkdirSync(dir);
    for (const [heading, where, name] of programs) {
      writeFileSync(join(dir, `${name}.ts`), code(heading, 'ts').replace(where, "process.argv[2] ?? ''"));
    }
    const compilerOptions = { module: 'nodenext', target: 'es2022', strict: true, skipLibCheck: false };
    writeFileSync(join(dir, 'tsconfig.json'), JSON.stringify({ compilerOptions }));
    // Both at once: most of the time goes into the types of Node.
    compiling = run(join(project.dir, 'node_modules/.bin/tsc'), '-p', dir);
  });

  test.for(programs)('"%s" type checks and serves', async ([heading, where, name]) => {
    const program = code(heading, 'ts');
    expect(program.trimEnd().split('\n').filter(Boolean)).toHaveLength(3);
    expect(program).toContain(where);
    await must(compiling);
    const started = await Started.node(join(dir, `${name}.js`));
    for (let i = 0; i < 3; i++) expect(await started.sh('cat uptime')).toMatch(/^\d+(\.\d+)?\n$/);
    expect(await started.end()).toBe('SIGINT');
    expect(started.said).toBe('');
    expect(mountAt(started.dir)).toBeUndefined();
  });
});
