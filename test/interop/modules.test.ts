import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { mountAt } from '../../src/sys/mountinfo.ts';
import { traces } from '../faults/traces.ts';
import { openDeviceToAll } from '../support/device.ts';
import { type Ended, mount, ramproc, runs } from '../support/mount.ts';
import { mountAsNobody, ramprocAsNobody, runAsNobody } from '../support/nobody.ts';
import { bash, bashAsNobody, shellDir } from '../support/shell.ts';

const TSX = dirname(new URL(import.meta.resolve('tsx/package.json')).pathname);

/** Says hello, and in its log what is there of it at its beginning and end. */
const GREETER = `
import { readFileSync } from 'node:fs';
import { defineModule, procCreateSingle } from 'ramproc';
export default defineModule({
  name: 'greeter', author: 'me', description: 'says hello', license: 'MIT',
  parameters: {
    whom: { type: 'string', default: 'world', description: 'who is greeted', writable: true },
    count: { type: 'number', default: 1, min: 1, max: 9, description: 'how often' },
  },
  async init({ root, parameters, log }) {
    await new Promise((later) => setTimeout(later, 50));
    log(readFileSync('/proc/self/mountinfo', 'utf8').includes(process.title.split(' ')[1]) ? 'seen' : 'not seen');
    const entry = procCreateSingle('hello', 0o444, root, () => \`hello \${parameters.whom}\\n\`.repeat(parameters.count));
    return { [Symbol.dispose]: () => log(entry.isRemoved ? 'without its file' : 'with its file') };
  },
});
`;

/** Throws after it has made a file. */
const BROKEN = `
import { defineModule, procCreateSingle, procTree } from 'ramproc';
export default defineModule({
  name: 'broken',
  init({ root }) {
    procCreateSingle('half', 0o444, root, () => '');
    procTree(root, { more: 1 });
    throw new Error('nobody knows');
  },
});
`;

const COUNTER = `
import { defineModule, procCreate, ProcOps, simpleReadFromBuffer } from 'ramproc';
import { isMainThread } from 'node:worker_threads';
export function attach(state) {
  const read = (_file, to, offset) => simpleReadFromBuffer(to, offset, isMainThread ? 'main' : 'worker');
  return new ProcOps({ read }, { shared: { module: import.meta.url, state } });
}
export default defineModule({ name: 'counter', init: ({ root }) => procCreate('where', 0o444, root, attach(1)) });
`;

const TYPED = `
import { defineModule, procCreateSingle } from 'ramproc';
const text: string = 'typed';
export default defineModule({ name: 'typed', init: ({ root }) => procCreateSingle('typed', 0o444, root, (): string => text) });
`;

/** A directory with modules in it, and an empty one, \`m\`, to load them into. */
function scene(): string {
  const dir = shellDir();
  mkdirSync(join(dir, 'm'));
  chmodSync(join(dir, 'm'), 0o777);
  const files = { 'greeter.mjs': GREETER, 'broken.mjs': BROKEN, 'counter.mjs': COUNTER };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text);
  return dir;
}

async function ok(ended: Promise<Ended>): Promise<string> {
  const { status, stdout, stderr } = await ended;
  expect([status, stderr]).toEqual([0, '']);
  return stdout;
}

const gone = (dir: string) => expect.poll(() => traces(dir)).toEqual({ mounted: [], running: [] });

test('a module is loaded, seen when it is ready, told, and unloaded: its file first, then what it holds', async () => {
  const dir = scene();
  const m = join(dir, 'm');
  const told = await ok(bash(dir, 'ramproc load ./greeter.mjs m count=2 whom=you --log log'));
  const [, pid] =
    told.match(
      /^greeter is loaded into .*\/m \(hello\), served by process (\d+); unload it with "ramproc unload greeter .*\/m"\.\n$/,
    ) ?? [];
  expect(readFileSync(join(m, 'hello'), 'utf8')).toBe('hello you\nhello you\n');

  expect(await ok(bash(dir, 'ramproc set m'))).toBe('greeter.whom=you\ngreeter.count=2\n');
  await ok(bash(dir, 'ramproc set m greeter.whom=all'));
  expect(await ok(bash(dir, 'ramproc set m greeter.whom --json'))).toBe('{"greeter.whom":"all"}\n');
  expect(readFileSync(join(m, 'hello'), 'utf8')).toBe('hello all\nhello all\n');

  expect(await ok(bash(dir, 'ramproc unload greeter m'))).toBe('');
  await gone(dir);
  expect(runs(Number(pid))).toBe(false);
  expect(readFileSync(join(dir, 'log'), 'utf8')).toMatch(
    /^[^\n]* greeter: not seen\n(.*\n)*[^\n]* greeter: without its file\n/,
  );
});

test('several are loaded into one directory, one after the other, and unloaded alone', async () => {
  const dir = scene();
  const { pid } = JSON.parse(await ok(bash(dir, 'ramproc load ./greeter.mjs m --json')));
  expect(
    JSON.parse(await ok(bash(dir, 'ramproc load rust-proc-ram-file m max_size=64k mode=0600 --json'))),
  ).toEqual({
    dir: join(dir, 'm'),
    modules: [{ id: 'rust_proc_ram_file', entries: ['rust-proc-file'] }],
    pid,
  });
  expect(
    JSON.parse(await ok(bash(dir, 'ramproc load rust_proc_ram_file m name=other --json'))),
  ).toMatchObject({
    modules: [{ id: 'rust_proc_ram_file#2', entries: ['other'] }],
  });
  await ok(bash(dir, 'ramproc load ./counter.mjs m'));
  const m = join(dir, 'm');
  expect(readdirSync(m)).toEqual(['hello', 'other', 'rust-proc-file', 'where']);
  // Its handler runs in the threads that were there before it.
  expect(readFileSync(join(m, 'where'), 'utf8')).toBe('worker');
  writeFileSync(join(m, 'other'), 'data');
  expect(statSync(join(m, 'rust-proc-file')).mode & 0o777).toBe(0o600);
  expect(() => writeFileSync(join(m, 'rust-proc-file'), 'x'.repeat(65537))).toThrow('ENOSPC');
  await ok(bash(dir, 'ramproc unload greeter m; ramproc unload rust_proc_ram_file m'));
  expect(readdirSync(m)).toEqual(['other', 'where']);
  expect(readFileSync(join(m, 'other'), 'utf8')).toBe('data');
  await ok(bash(dir, "ramproc unload 'rust_proc_ram_file#2' m; ramproc unload counter m"));
  await gone(dir);
});

test('a module is loaded beside the file of "ramproc mount", and that is unloaded like any other', async () => {
  await using at = await mount();
  await ok(ramproc('load', join(scene(), 'counter.mjs'), at.dir));
  expect(readdirSync(at.dir)).toEqual(['rust-proc-file', 'where']);
  await ok(ramproc('unload', 'rust_proc_ram_file', at.dir));
  expect(readdirSync(at.dir)).toEqual(['where']);
  expect(mountAt(at.dir)?.type).toBe('fuse.ramproc');
});

describe('a module whose init throws', () => {
  const words =
    /^ramproc: Cannot load "\.\/broken\.mjs" into ".*m": its init failed: nobody knows \(broken\.mjs, line 8\)\.\n$/;

  test('leaves nothing behind where it would have been the first', async () => {
    const dir = scene();
    const { status, stderr } = await bash(dir, 'ramproc load ./broken.mjs m');
    expect([status, stderr]).toEqual([32, expect.stringMatching(words)]);
    await gone(dir);
  });

  test('leaves nothing behind in what is mounted, and has all trace of it in the log', async () => {
    const dir = scene();
    await ok(bash(dir, 'ramproc load ./greeter.mjs m --log log'));
    const { status, stderr } = await bash(dir, 'ramproc load ./broken.mjs m');
    expect([status, stderr]).toEqual([32, expect.stringMatching(words)]);
    expect(readdirSync(join(dir, 'm'))).toEqual(['hello']);
    expect(readFileSync(join(dir, 'log'), 'utf8')).toMatch(
      /Error: nobody knows\n.* +at Object\.init .*broken\.mjs/,
    );
    await ok(bash(dir, 'ramproc unload greeter m'));
    await gone(dir);
  });
});

describe('a module is found', () => {
  test('by the name of its package, from the directory of who says it', async () => {
    const dir = scene();
    const there = join(dir, 'node_modules/my-module');
    mkdirSync(there, { recursive: true });
    writeFileSync(join(there, 'package.json'), '{"type":"module","exports":{"import":"./index.js"}}');
    writeFileSync(join(there, 'index.js'), GREETER);
    mkdirSync(join(dir, 'below'));
    await ok(
      bash(dir, 'cd below && ramproc load my-module ../m && cat ../m/hello && ramproc unload greeter ../m'),
    );
    await gone(dir);
  });

  test('as it is now: one that was changed is read again', async () => {
    const dir = scene();
    await ok(bash(dir, 'ramproc mount m && ramproc load ./greeter.mjs m && ramproc unload greeter m'));
    writeFileSync(join(dir, 'greeter.mjs'), GREETER.replace('`hello $', '`goodbye $'));
    utimesSync(join(dir, 'greeter.mjs'), 1, 1);
    const told = await ok(
      bash(dir, 'ramproc load ./greeter.mjs m >/dev/null && cat m/hello && ramproc unmount m'),
    );
    expect(told).toBe('goodbye world\n');
    await gone(dir);
  });

  test('in TypeScript, which Node runs by itself, or the tsx of its project; else a sentence says so', async () => {
    const dir = scene();
    writeFileSync(join(dir, 'typed.mts'), TYPED);
    const able = 'typescript' in process.features && process.features.typescript;
    const { status, stderr } = await bash(
      dir,
      'ramproc load ./typed.mts m && cat m/typed && ramproc unmount m',
    );
    if (able) expect([status, stderr]).toEqual([0, '']);
    else {
      expect([status, stderr]).toEqual([
        32,
        expect.stringMatching(
          /: Node v.* runs no TypeScript by itself, and the module's project has no tsx; say "npm install tsx" there, or take Node 22\.18 or newer\.\n$/,
        ),
      ]);
    }
    mkdirSync(join(dir, 'node_modules'));
    symlinkSync(TSX, join(dir, 'node_modules/tsx'));
    writeFileSync(join(dir, 'typed.ts'), TYPED);
    writeFileSync(join(dir, 'package.json'), '{"type":"module"}');
    for (const name of ['typed.mts', 'typed.ts']) {
      const script = `ramproc load ./${name} m >/dev/null && cat m/typed && ramproc unmount m`;
      expect(await ok(bash(dir, script))).toBe('typed');
    }
    await gone(dir);
  });
});

test('info shows what a module is, for people and for programs', async () => {
  const dir = scene();
  expect(await ok(bash(dir, 'ramproc info ./greeter.mjs'))).toBe(`filename:       ${dir}/greeter.mjs
name:           greeter
description:    says hello
author:         me
license:        MIT
parm:           whom:who is greeted (string, default "world", writable)
parm:           count:how often (number from 1 to 9, default 1)
`);
  expect(JSON.parse(await ok(ramproc('info', 'rust_proc_ram_file', '--json')))).toMatchObject({
    name: 'rust_proc_ram_file',
    parameters: { name: { type: 'string', default: 'rust-proc-file' } },
  });
});

describe('code runs with the rights of who brought it', () => {
  test("another user's daemon takes none, not even root's", async () => {
    await using at = await mountAsNobody();
    const dir = scene();
    const { status, stderr } = await ramproc('load', join(dir, 'greeter.mjs'), at.dir);
    expect([status, stderr]).toEqual([
      32,
      `ramproc: Cannot load "${dir}/greeter.mjs" into "${at.dir}": its daemon has the rights of user 65534, and only that user may have code run with them; load it as that user.\n`,
    ]);
    expect((await runAsNobody('ls', at.dir)).stdout).toBe('rust-proc-file\n');
  });

  test("an ordinary user's goes into that user's own, and not into root's", async () => {
    using _device = openDeviceToAll();
    const dir = scene();
    await ok(
      bashAsNobody(dir, 'ramproc load ./counter.mjs m && ramproc load ./greeter.mjs m && cat m/hello'),
    );
    await ok(bashAsNobody(dir, 'ramproc unload counter m && ramproc unload greeter m'));
    await gone(dir);
    await using at = await mount(['--allow-other']);
    const { status, stderr } = await ramprocAsNobody('load', join(dir, 'greeter.mjs'), at.dir);
    expect([status, stderr]).toEqual([
      32,
      expect.stringContaining('only user 0 and root may ask its daemon'),
    ]);
  });

  test('a secret has no other code beside it', async () => {
    await using at = await mount(['--secret']);
    const { status, stderr } = await ramproc('load', join(scene(), 'greeter.mjs'), at.dir);
    expect([status, stderr]).toEqual([
      32,
      expect.stringContaining('it is a secret, which no other code may come near'),
    ]);
  });

  test('paths of another mount namespace are not taken for the same', async () => {
    await using at = await mount();
    const dir = scene();
    const script = `unshare -m ramproc load ./greeter.mjs ${at.dir}`;
    const { status, stderr } = await bash(dir, script);
    expect([status, stderr]).toEqual([
      32,
      expect.stringContaining('its daemon is in another mount namespace'),
    ]);
  });
});

test('a daemon that dies takes only its own mounts along', async () => {
  const dir = scene();
  await using other = await mount();
  const { pid } = JSON.parse(await ok(bash(dir, 'ramproc load ./greeter.mjs m --json')));
  process.kill(pid, 'SIGKILL');
  await expect.poll(() => runs(pid)).toBe(false);
  writeFileSync(other.file, 'data');
  expect(readFileSync(other.file, 'utf8')).toBe('data');
  // The next one takes the dead one's place.
  const { stderr } = await bash(dir, 'ramproc load ./counter.mjs m && cat m/where && ramproc unmount m');
  expect(stderr).toMatch(/^ramproc: ".*\/m" was still mounted by a daemon that is dead; replacing it\.\n$/);
  await gone(dir);
});
