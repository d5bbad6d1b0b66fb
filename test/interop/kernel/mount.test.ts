import { constants } from 'node:fs';
import {
  dir,
  MountError,
  mount,
  ProcDirEntry,
  procCreate,
  procCreateSingle,
  procMkdir,
  single,
} from 'ramproc';
import { expect, test } from 'vitest';
import { mountAt } from '../../../src/sys/mountinfo.ts';
import { must } from '../../support/answer.ts';
import { Client } from '../../support/client.ts';
import { run } from '../../support/mount.ts';
import { makeDir } from '../../support/run.ts';
// biome-ignore lint/correctness/useImportExtensions: its types stand in a file of their own.
import { attach } from './told-in-a-worker.mjs';

test('a mount is unmounted at the end of its block', async () => {
  const dir = makeDir('using');
  {
    await using mounted = await mount(ProcDirEntry.root(), dir);
    expect(mounted.dir).toBe(dir);
    expect(mountAt(dir)).toBeDefined();
  }
  expect(mountAt(dir)).toBeUndefined();
});

test('unmounting is refused while it is in use, lazily it is not, and a second time it is no error', async () => {
  const root = ProcDirEntry.root();
  procCreateSingle('file', 0o444, root, () => 'text\n');
  const mounted = await mount(root, makeDir('busy'));
  await using client = await Client.start();
  const fd = must(await client.sys.open(`${mounted.dir}/file`, constants.O_RDONLY));
  await expect(mounted.unmount()).rejects.toThrow(MountError);
  await mounted.unmount({ lazy: true });
  expect(mountAt(mounted.dir)).toBeUndefined();
  expect(await client.sys.read(fd, 10)).toEqual(Buffer.from('text\n'));
  await client.sys.close(fd);
  await mounted.closed;
  await mounted.unmount();
  await mounted.unmount({ force: true });
});

test('one tree can be mounted twice, and one directory not', async () => {
  const root = ProcDirEntry.root();
  procCreateSingle('file', 0o444, root, () => 'text\n');
  await using first = await mount(root, makeDir('first'));
  await using second = await mount(root, makeDir('second'));
  for (const { dir } of [first, second]) expect((await run('cat', `${dir}/file`)).stdout).toBe('text\n');
  await expect(mount(root, first.dir)).rejects.toThrow(/mounted/);
  const added = procMkdir('added', 0o555, root, { lookup: () => single(0o444, () => 'found\n') });
  for (const { dir } of [first, second]) {
    expect((await run('cat', `${dir}/added/any`)).stdout).toBe('found\n');
  }
  added[Symbol.dispose]();
  for (const { dir } of [first, second]) expect((await run('ls', dir)).stdout).toBe('file\n');
});

test('a trace tells of each request with its answer, those that workers serve too', async () => {
  const lines: string[] = [];
  const root = ProcDirEntry.root();
  procCreateSingle(
    'file',
    0o644,
    root,
    () => 'text\n',
    () => {},
  );
  procCreate('worker', 0o444, root, attach({}));
  procMkdir('jobs', 0o555, root, { lookup: (id) => (id === '1' ? dir(0o555, {}) : undefined) });
  await using mounted = await mount(root, makeDir('traced'), {
    trace: (event) => lines.push(String(event)),
  });
  const { stdout } = await run(
    'bash',
    '-c',
    `cd ${mounted.dir}; cat file; echo x >file; cat worker >/dev/null; ls -d jobs/1 jobs/2; echo $$`,
  );
  const pid = stdout.trim().split('\n').at(-1);
  const TIME = '<\\d+\\.\\d{3} ms>';
  const told = (line: string) => expect.stringMatching(new RegExp(`^${line} ${TIME}$`));
  await expect.poll(() => lines).toContainEqual(told('\\d+ READ /worker size=\\d+ offset=0 = \\d\\d+'));
  expect(lines).toEqual(
    expect.arrayContaining([
      told('\\d+ LOOKUP /file = \\d+'),
      told('\\d+ OPEN /file flags=\\d+ = 0'),
      told('\\d+ READ /file size=131072 offset=0 = 5'),
      told(`${pid} WRITE /file size=2 offset=0 = 2`),
      told('\\d+ LOOKUP /jobs/1 = \\d+'),
      told('\\d+ LOOKUP /jobs/2 = ENOENT'),
    ]),
  );
});

test('a trace that throws changes nothing', async () => {
  const said: unknown[] = [];
  const { error } = console;
  console.error = (one) => said.push(one);
  try {
    const root = ProcDirEntry.root();
    procCreateSingle('file', 0o444, root, () => 'text\n');
    await using mounted = await mount(root, makeDir('traced'), {
      trace: () => {
        throw new Error('from a trace');
      },
    });
    expect((await run('cat', `${mounted.dir}/file`)).stdout).toBe('text\n');
    expect(String(said[0])).toMatch(/from a trace/);
  } finally {
    console.error = error;
  }
});
