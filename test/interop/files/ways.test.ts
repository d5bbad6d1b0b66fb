import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { procCreateSeq, procCreateSingle, procDointvecMinmax, procSetSize } from 'ramproc';
import { beforeAll, describe, expect, test } from 'vitest';
import { run } from '../../support/mount.ts';
import { makeDir } from '../../support/run.ts';
import { Tree } from '../kernel/tree.ts';

let ways: string;
beforeAll(() => {
  ways = `${makeDir('ways')}/ways`;
  execFileSync('gcc', ['-std=gnu11', '-o', ways, fileURLToPath(new URL('ways.c', import.meta.url))]);
});

/** What each way to read gives. */
async function waysOf(path: string): Promise<Record<string, string>> {
  const { stdout } = await run(ways, path);
  return Object.fromEntries(
    stdout
      .trim()
      .split('\n')
      .map((line) => /^(.*?) ([A-Z0-9]+(?: \d+)?)$/.exec(line)?.slice(1, 3) ?? [line, '']),
  );
}

const version = readFileSync('/proc/version');

describe('a file that says that its size is 0', () => {
  test('is read in every way as /proc/version, but for splice, which it refuses', async () => {
    await using tree = await Tree.mount({});
    procCreateSingle('version', 0o444, tree.root, () => version);
    const theirs = await waysOf('/proc/version');
    expect(theirs.splice).toMatch(/^\d+ /);
    expect(await waysOf(tree.path('version'))).toEqual({
      ...theirs,
      splice: 'EINVAL',
      'sendfile to a pipe': 'EINVAL',
      'sendfile to a socket': 'EINVAL',
      'sendfile to a file': 'EINVAL',
      // Mapped, and SIGBUS; mmap(2) itself has no way to refuse.
      mmap: 'EFAULT',
    });
  });

  test.each([
    'cat FILE',
    'busybox cat FILE',
    'cat FILE >copy && cat copy',
    'busybox cat FILE >copy && cat copy',
    'cp FILE copy && cat copy',
    'busybox cp FILE copy && cat copy',
    'cat FILE FILE | cat',
    'tail -c 5 FILE',
    'tail -n 1 FILE',
    'busybox tail -c 5 FILE',
    'busybox tail -n 1 FILE',
    'head -c 7 FILE',
    'wc FILE | cut -d/ -f1',
    'stat -c "%s %b" FILE; cat FILE; stat -c "%s %b" FILE; busybox cat FILE',
    'exec 3<FILE; stat -L -c %s /proc/self/fd/3; busybox cat <&3',
    'python3 -c \'import shutil; shutil.copyfile("FILE", "copy")\' && cat copy',
    'node -e \'process.stdout.write(fs.readFileSync("FILE"))\'',
  ])('is to "%s" what a file of /proc is', async (command) => {
    await using tree = await Tree.mount({});
    const rows = Array.from({ length: 3000 }, (_, i) => `row ${i}\n`);
    procCreateSingle('version', 0o444, tree.root, () => version);
    procCreateSeq(
      'rows',
      0o444,
      tree.root,
      () => rows,
      (row) => row,
    );
    const cwd = makeDir('copies');
    const of = async (path: string) => {
      const { stdout, stderr } = await run('sh', '-c', `cd ${cwd} && ${command.replaceAll('FILE', path)}`);
      return stdout.replaceAll(path, 'FILE') + stderr;
    };
    expect(await of(tree.path('version'))).toBe(await of('/proc/version'));
    if (!command.includes('FILE FILE') && /^(busybox )?c(at|p) /.test(command)) {
      expect(await of(tree.path('rows'))).toBe(rows.join(''));
    }
  });

  test('goes on having no end whoever looks at it, writes to it and seeks in it', async () => {
    await using tree = await Tree.mount({});
    const cell = { value: 1 };
    procDointvecMinmax('cell', 0o644, tree.root, cell, 0, 1000);
    const file = tree.path('cell');
    for (let i = 2; i < 20; i++) {
      for (const how of ['>', '>>', '1<>']) {
        const { stdout } = await run(
          'sh',
          '-c',
          `echo ${i} ${how}${file}; stat -c %s ${file}; busybox cat ${file}; exec 3<${file}; stat -L -c %s /proc/self/fd/3; busybox cat <&3`,
        );
        expect(stdout).toBe(`0\n${i}\n0\n${i}\n`);
        expect(cell.value).toBe(i);
      }
      const sought = await run('busybox', 'tail', '-c', '2', file);
      expect(sought.stdout).toBe(`${i}\n`.slice(-2));
    }
  });

  test('is spliced when it is given a size', async () => {
    await using tree = await Tree.mount({});
    procSetSize(
      procCreateSingle('version', 0o444, tree.root, () => version),
      version.length,
    );
    const theirs = await waysOf('/proc/version');
    const { splice, 'sendfile to a file': sendfile } = await waysOf(tree.path('version'));
    expect({ splice, sendfile }).toEqual({ splice: theirs.splice, sendfile: theirs['sendfile to a file'] });
  });
});
