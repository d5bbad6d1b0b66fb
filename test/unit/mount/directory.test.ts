import { mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { findDirectory, mountedOn } from '../../../src/mount/directory.ts';
import { mountAt } from '../../../src/sys/mountinfo.ts';
import { makeDir } from '../../support/run.ts';

describe('a directory is found', () => {
  let base: string;
  beforeAll(() => {
    base = realpathSync(makeDir('directory'));
    mkdirSync(join(base, 'a/b'), { recursive: true });
    symlinkSync('a/b', join(base, 'relative'));
    symlinkSync(join(base, 'a'), join(base, 'absolute'));
    symlinkSync('relative/../../absolute', join(base, 'chain'));
    symlinkSync('circle', join(base, 'circle'));
    writeFileSync(join(base, 'file'), '');
  });

  test.each([
    ['a/b', 'a/b'],
    ['a//./b/', 'a/b'],
    ['relative', 'a/b'],
    ['absolute/b', 'a/b'],
    // As the kernel does: out of where the link leads to.
    ['relative/..', 'a'],
    ['chain', 'a'],
    ['chain/b/..', 'a'],
  ])('%s', async (path, expected) => {
    const found = await findDirectory(`${base}/${path}`);
    expect(found.path).toBe(join(base, expected));
    expect(mountedOn(found)).toBeUndefined();
  });

  test('from the working directory', async () => {
    expect((await findDirectory('.')).path).toBe(process.cwd());
    expect((await findDirectory('test')).path).toBe(join(process.cwd(), 'test'));
  });

  test('with what is mounted on it', async () => {
    for (const dir of ['/', '/proc', '/proc/..//proc/.']) {
      const { path } = await findDirectory(dir);
      expect(mountedOn(await findDirectory(dir))).toEqual(mountAt(path));
    }
  });

  test.each([
    ['none', 'ENOENT'],
    ['file', 'ENOTDIR'],
    ['file/x', 'ENOTDIR'],
    ['circle', 'ELOOP'],
    ['x'.repeat(300), 'ENAMETOOLONG'],
  ])('or not: %s', async (path, code) => {
    await expect(findDirectory(join(base, path))).rejects.toMatchObject({ code });
  });

  test('or not: an empty path', async () => {
    await expect(findDirectory('')).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
