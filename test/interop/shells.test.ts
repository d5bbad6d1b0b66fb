import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { completions } from '../support/completion.ts';
import { COMMAND, mount, ramproc, run } from '../support/mount.ts';
import { makeDir } from '../support/run.ts';

const PROJECT = join(import.meta.dirname, '../..');
const manifest = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8'));
const PAGE = join(PROJECT, manifest.man);

/** The commands and their flags, as --help has them. */
async function table(): Promise<Map<string, string[]>> {
  const [, commands = ''] = (await ramproc('--help')).stdout.match(/^Commands:\n((?: .*\n)+)/m) ?? [];
  const names = [...commands.matchAll(/^ {2}([\w-]+)/gm)]
    .map(([, name = '']) => name)
    .filter((name) => name !== 'help');
  const flags = names.map(async (name): Promise<[string, string[]]> => {
    const { stdout } = await ramproc(name, '--help');
    return [name, [...stdout.matchAll(/^ {2}(?:-\w, )?(--[\w-]+)/gm)].map(([, flag = '']) => flag)];
  });
  return new Map(await Promise.all(flags));
}

describe.each(Object.entries(completions))('%s completes', (shell, complete) => {
  test('each command, and each of its flags', async () => {
    const commands = await table();
    expect([...commands.keys()]).toEqual(expect.arrayContaining(['mount', 'unmount', 'install-helper']));
    const first = await complete('ramproc ');
    expect(first).toEqual(expect.arrayContaining([...commands.keys(), 'umount']));
    expect(first).not.toContain('mount-helper');
    for (const [name, flags] of commands) {
      expect(await complete(`ramproc ${name} --`)).toEqual(flags.toSorted());
    }
  });

  test.each([
    ['ramproc mo', ['mount']],
    ['ramproc mount --io ', ['cached', 'direct', 'passthrough']],
    ['ramproc mount --io=pa', ['passthrough']],
    ['ramproc umount --la', ['--lazy']],
    ['ramproc mount -o ro,nosu', ['nosuid']],
    ['ramproc mount -o nosym', ['nosymfollow']],
    ['ramproc mount --uid nobod', ['nobody']],
    ['ramproc mount --gid nogrou', ['nogroup']],
    ['ramproc mount --from /etc/passw', ['/etc/passwd']],
    ['ramproc mount --threads ', []],
    ['ramproc completion ', ['bash', 'fish', 'zsh']],
  ])('%j', async (line, expected) => {
    const found = await complete(line);
    // zsh offers the name, and fish and bash the path.
    const names = found.map((word) => word.replace(/^\/etc\//, ''));
    for (const word of expected) expect(names).toContain(word.replace(/^\/etc\//, ''));
    if (!line.includes('/')) expect(found).toEqual(expected);
  });

  test('directories to mount on, and those that are mounted to unmount, which it does not evaluate', async () => {
    const dir = makeDir('complete');
    await run('mkdir', `${dir}/one`, `${dir}/two`, `${dir}/$(touch $HOME)`);
    await run('touch', `${dir}/file`);
    const under = (words: string[]) => words.map((word) => word.replace(`${dir}/`, '').replace(/\/$/, ''));
    expect(under(await complete(`ramproc mount ${dir}/t`))).toEqual(['two']);
    await using _plain = await mount([], `${dir}/one`);
    await using _hostile = await mount([], `${dir}/$(touch $HOME)`);
    const found = under(await complete(`ramproc unmount ${dir}/`));
    expect(found.toSorted()).toEqual(['$(touch $HOME)', 'one']);
  });

  test('by a script that the command prints, and that runs no Node.js', async () => {
    const { status, stdout, stderr } = await ramproc('completion', shell);
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toBe(readFileSync(join(PROJECT, 'dist/completion', shell), 'utf8'));
    expect(stdout).not.toMatch(/\$\(ramproc|\bnode\b/);
  });
});

test('a shell of bash has the completion once it has read the script', async () => {
  const script = `eval "$("$0" completion bash)"; complete -p ramproc`;
  expect(await run('bash', '--norc', '-c', script, COMMAND)).toEqual({
    status: 0,
    stdout: 'complete -F _ramproc ramproc\n',
    stderr: '',
  });
});

describe('the manual page', () => {
  test('is without a fault for man and for mandoc', async () => {
    const clean = { status: 0, stdout: '', stderr: '' };
    expect(await run('mandoc', '-T', 'lint', PAGE)).toEqual(clean);
    const { stdout, ...ended } = await run('man', '--warnings', '-l', PAGE);
    expect(ended).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/^RAMPROC\(1\)/);
  });

  test('has each command, each flag, what -o takes, examples and the exit status', async () => {
    const { stdout: page } = await run('env', 'MANWIDTH=200', 'man', '-l', PAGE);
    for (const [name, flags] of await table()) {
      expect(page).toMatch(new RegExp(`^ {3}ramproc ${name}$`, 'm'));
      for (const flag of flags) expect(page).toMatch(new RegExp(`^ +(-\\w, )?${flag}( |$)`, 'm'));
    }
    for (const heading of ['EXAMPLES', 'EXIT STATUS', 'FILES', 'SEE ALSO']) {
      expect(page).toMatch(new RegExp(`^${heading}$`, 'm'));
    }
    expect(page).toMatch(/^ +max_size=<size>, size=<size>\n +as --max-size$/m);
  });
});
