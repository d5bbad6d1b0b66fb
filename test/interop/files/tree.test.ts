import { Errno, procMkdir, procTree } from 'ramproc';
import { expect, test } from 'vitest';
import { run } from '../../support/mount.ts';
import { Tree } from '../kernel/tree.ts';

/** What a shell prints in a mounted directory, and its status. */
async function sh({ dir }: Tree, script: string): Promise<string> {
  const { stdout, stderr, status } = await run('sh', '-c', `cd ${dir}; ${script}`);
  return status === 0 ? stdout : `${stdout}${stderr.replace(/^.*: /gm, '')}`;
}

test('an object is a directory with a file for each property, a list of names, and directories within', async () => {
  const settings = {
    port: 8080,
    ratio: 0.5,
    verbose: true,
    name: 'a b',
    large: 2n ** 64n,
    nothing: null,
    missing: undefined,
    since: new Date(0),
    bytes: Buffer.from('bytes'),
    log: { level: 'info', deep: { er: 1 } },
    list: ['x', 'y'],
    map: new Map([['k', 'v']]),
    method: () => 1,
    [Symbol('s')]: 1,
    'no/name': 1,
  };
  await using tree = await Tree.mount({});
  using _mirror = procTree(tree.root, settings);
  expect(await sh(tree, 'find . | sort')).toBe(
    [
      '.',
      ...['bytes', 'large', 'list', 'list/0', 'list/1', 'log', 'log/deep', 'log/deep/er', 'log/level'],
      ...['map', 'map/k', 'name', 'nothing', 'port', 'ratio', 'since', 'verbose'],
    ]
      .map((path) => (path === '.' ? '.' : `./${path}`))
      .join('\n')
      .concat('\n'),
  );
  expect(
    await sh(tree, 'cat port ratio verbose name large nothing since log/level log/deep/er list/1 map/k'),
  ).toBe('8080\n0.5\ntrue\na b\n18446744073709551616\nnull\n1970-01-01T00:00:00.000Z\ninfo\n1\ny\nv\n');
  expect(await sh(tree, 'cat bytes')).toBe('bytes');
});

test('what the program changes is seen at once', async () => {
  const jobs: Record<string, unknown> = { one: { state: 'new' } };
  await using tree = await Tree.mount({});
  using _mirror = procTree(procMkdir('jobs', 0o555, tree.root), jobs);
  expect(await sh(tree, 'cat jobs/one/state')).toBe('new\n');
  Object.assign(jobs.one as object, { state: 'old' });
  jobs.two = 2;
  expect(await sh(tree, 'cat jobs/one/state jobs/two; ls jobs')).toBe('old\n2\none\ntwo\n');
  jobs.one = 1;
  delete jobs.two;
  expect(await sh(tree, 'cat jobs/one jobs/two')).toBe('1\nNo such file or directory\n');
});

test('what a client writes is set, with the type that it had', async () => {
  const settings = {
    port: 8080,
    verbose: false,
    name: 'x',
    large: 1n,
    list: ['x', 'y'],
    map: new Map([['k', 'v']]),
    fixed: Object.freeze({ of: 1 }),
    get computed() {
      return 7;
    },
    get picky() {
      return 1;
    },
    set picky(value: number) {
      if (value > 9) throw new Errno('ERANGE');
    },
  };
  await using tree = await Tree.mount({});
  using _mirror = procTree(tree.root, settings);
  expect(
    await sh(
      tree,
      'echo 99 >port; echo yes >verbose; echo "a b" >name; echo 123456789012345678901 >large; echo z >list/1; echo w >map/k',
    ),
  ).toBe('');
  expect(settings).toMatchObject({
    port: 99,
    verbose: true,
    name: 'a b',
    large: 123456789012345678901n,
    list: ['x', 'z'],
    map: new Map([['k', 'w']]),
  });
  expect(await sh(tree, '/bin/echo x >port')).toBe('Invalid argument\n');
  expect(await sh(tree, '/bin/echo constructor >verbose')).toBe('Invalid argument\n');
  expect(await sh(tree, '/bin/echo 10 >picky')).toBe('Numerical result out of range\n');
  expect(await sh(tree, 'stat -c %a port computed fixed/of')).toBe('644\n444\n444\n');
  expect(settings.port).toBe(99);
});

test('an object within itself is not shown, and disposing ends it', async () => {
  const circle: Record<string, unknown> = { here: 1, below: {} };
  circle.itself = circle;
  Object.assign(circle.below as object, { above: circle, here: 2 });
  await using tree = await Tree.mount({});
  const mirror = procTree(tree.root, circle);
  expect(await sh(tree, 'find . | sort')).toBe('.\n./below\n./below/here\n./here\n');
  mirror[Symbol.dispose]();
  expect(await sh(tree, 'ls')).toBe('');
  expect(() => procTree(tree.root, {})).not.toThrow();
});
