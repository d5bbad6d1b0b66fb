import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { mountAt } from '../../src/sys/mountinfo.ts';
import { type Ended, Mount, run } from '../support/mount.ts';
import { makeDir } from '../support/run.ts';

const PROJECT = join(import.meta.dirname, '../..');

/** A clone of the project that is set up already: what it looks at, and the rest by way of links. */
function clone(): { dir: string; mnt: string; start(): Promise<Ended> } {
  const dir = makeDir('clone');
  for (const name of ['scripts', 'src', 'tsconfig.json', 'tsconfig.build.json', 'dist']) {
    cpSync(join(PROJECT, name), join(dir, name), { recursive: true });
  }
  utimesSync(join(dir, 'dist/.tsbuildinfo'), new Date(), new Date());
  for (const name of ['bin', 'node_modules', 'package.json', 'package-lock.json']) {
    symlinkSync(join(PROJECT, name), join(dir, name));
  }
  return { dir, mnt: join(dir, 'mnt'), start: () => run('bash', join(dir, 'scripts/start.sh')) };
}

const TRY = `
Try:
  echo hello > mnt/rust-proc-file && cat mnt/rust-proc-file
  dd if=/dev/urandom of=mnt/rust-proc-file bs=1M count=64 conv=notrunc
  fusermount -u mnt
`;

test('npm start mounts ./mnt, says what to try, and the second time that it is mounted already', async () => {
  const { dir, mnt, start } = clone();
  const first = await start();
  const [, pid] =
    first.stdout.match(/^\S+\/mnt\/rust-proc-file is there, .* served by process (\d+);.*\n/) ?? [];
  await using _mount = new Mount({ dir: mnt, file: join(mnt, 'rust-proc-file'), pid: Number(pid) });
  expect(first).toMatchObject({ status: 0, stderr: '', stdout: expect.stringContaining(TRY) });

  // Each line that it prints, as it is.
  const [, echo = '', dd = '', unmount = ''] = TRY.trim().split('\n');
  expect(await run('bash', '-c', `cd ${dir}; ${echo}`)).toEqual({ status: 0, stdout: 'hello\n', stderr: '' });
  expect(await run('bash', '-c', `cd ${dir}; ${dd} status=none; stat -c %s mnt/*`)).toMatchObject({
    stdout: '67108864\n',
  });

  expect(await start()).toEqual({ status: 0, stdout: TRY, stderr: 'ramproc: mnt is mounted already\n' });
  expect((await run('bash', '-c', `cd ${dir}; ${unmount}`)).status).toBe(0);
  expect(mountAt(mnt)).toBeUndefined();
});

test('npm start replaces a mount whose daemon is dead', async () => {
  const { mnt, start } = clone();
  const pidIn = ({ stdout }: Ended) => Number(stdout.match(/served by process (\d+)/)?.[1]);
  const dead = pidIn(await start());
  process.kill(dead, 'SIGKILL');
  await expect.poll(() => existsSync(join(mnt, 'rust-proc-file'))).toBe(false);
  const again = await start();
  await using at = new Mount({ dir: mnt, file: join(mnt, 'rust-proc-file'), pid: pidIn(again) });
  expect(again.status).toBe(0);
  expect(again.stderr).toBe(`ramproc: "${mnt}" was still mounted by a daemon that is dead; replacing it.\n`);
  expect(readFileSync(at.file, 'utf8')).toBe('');
});

test('npm start does not take a file that was left in ./mnt for a mount', async () => {
  const { mnt, start } = clone();
  mkdirSync(mnt);
  writeFileSync(join(mnt, 'rust-proc-file'), 'written after the unmount');
  const { status, stderr } = await start();
  expect(status).toBe(32);
  expect(stderr).toMatch(/^ramproc: Cannot mount on ".*": it is not empty, .*\n$/);
});
