import {
  closeSync,
  ftruncateSync,
  openSync,
  readFileSync,
  statfsSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { mountAt } from '../../src/sys/mountinfo.ts';
import { Client } from '../support/client.ts';
import { kinds } from '../support/kinds.ts';
import { mount, ramproc, run } from '../support/mount.ts';
import { mountAsNobody, ramprocAsNobody, runAsNobody } from '../support/nobody.ts';
import { makeDir } from '../support/run.ts';
import { Tmpfs } from '../support/tmpfs.ts';

const MIB = 1 << 20;
const DONE = { status: 0, stdout: '', stderr: '' };

const allKinds = [
  ...kinds,
  ['secret', ['--secret']],
  ['secret and passthrough', ['--secret', '--io', 'passthrough']],
  ['joined', ['--join']],
] as const;

/** Writes until there is no more room. Returns how many bytes there are then. */
function fill(path: string): number {
  const fd = openSync(path, 'r+');
  const bytes = Buffer.alloc(64 << 10, 'x');
  try {
    for (let at = 0; ; ) at += writeSync(fd, bytes, 0, bytes.length, at);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EFBIG')))
      throw error;
    return statSync(path).size;
  } finally {
    closeSync(fd);
  }
}

function shorten(path: string, size: number): void {
  const fd = openSync(path, 'r+');
  ftruncateSync(fd, size);
  closeSync(fd);
}

function most(dir: string): number {
  const { blocks, bsize } = statfsSync(dir);
  return blocks * bsize;
}

/** What there is to be seen of the size, by whom. */
async function told(dir: string): Promise<unknown[]> {
  const listed = JSON.parse((await ramproc('list', '--json')).stdout).find(
    (one: { dir: string }) => one.dir === dir,
  );
  const stats = JSON.parse((await ramproc('stats', dir, '--json')).stdout);
  const set = JSON.parse((await ramproc('set', dir, '--json')).stdout);
  return [listed.most, listed.modules[0].ram.most, stats.most, set['rust_proc_ram_file.max_size'], most(dir)];
}

describe.each(allKinds)('a file that is %s', (_, options) => {
  test('may take more and less, as a tmpfs, but not less than it takes', async () => {
    await using at = await mount(['-s', '1M', ...options]);
    using tmpfs = new Tmpfs('1M');
    const theirs = join(tmpfs.dir, 'file');
    writeFileSync(theirs, '');
    expect([fill(at.file), fill(theirs)]).toEqual([MIB, MIB]);
    const both = async (size: string) => {
      const ours = await ramproc('remount', at.dir, '-s', size);
      const others = await run('mount', '-i', '-o', `remount,size=${size}`, tmpfs.dir);
      expect([size, ours.status, most(at.dir)]).toEqual([size, others.status, most(tmpfs.dir)]);
      return ours;
    };
    expect(await both('3M')).toEqual(DONE);
    expect([fill(at.file), fill(theirs)]).toEqual([3 * MIB, 3 * MIB]);
    const { stderr } = await both('3068K');
    expect(stderr).toBe(
      `ramproc: Cannot remount "${at.dir}": it takes 3 MiB (3145728 bytes), more than the 3 MiB (3141632 bytes) that it is to have; make the file smaller first, or say more.\n`,
    );
    expect(await both('3M')).toEqual(DONE);
    for (const path of [at.file, theirs]) shorten(path, MIB);
    // Up to whole pages.
    expect(await both('1025K')).toEqual(DONE);
    expect([fill(at.file), fill(theirs)]).toEqual([MIB + 4096, MIB + 4096]);
    expect(await told(at.dir)).toEqual(Array(5).fill(MIB + 4096));
    expect(readFileSync(at.file).every((byte) => byte === 120)).toBe(true);
  });

  test('gets another mode and owner, which clients see at once, and "set" says and does the same', async () => {
    await using at = await mount(['-s', '1M', '-m', '0600', ...options]);
    const seen = () => {
      const { mode, uid, gid } = statSync(at.file);
      return [(mode & 0o7777).toString(8), uid, gid];
    };
    expect(seen()).toEqual(['600', 0, 0]);
    expect(await ramproc('remount', at.dir, '-m', '0400', '--uid', 'nobody', '--gid', '7')).toEqual(DONE);
    expect(seen()).toEqual(['400', 65534, 7]);
    const set = (...what: string[]) =>
      ramproc('set', at.dir, ...what.map((one) => `rust_proc_ram_file.${one}`));
    expect((await set('mode', 'uid', 'gid')).stdout).toBe(
      'rust_proc_ram_file.mode=0400\nrust_proc_ram_file.uid=65534\nrust_proc_ram_file.gid=7\n',
    );
    expect(await set('mode=0200', 'uid=0', 'max_size=2M')).toEqual(DONE);
    expect([...seen(), most(at.dir)]).toEqual(['200', 0, 7, 2 * MIB]);
    // What a client changed is what is told.
    await run('chmod', '0600', at.file);
    expect((await set('mode')).stdout).toBe('rust_proc_ram_file.mode=0600\n');
  });

  test('is made smaller and larger while clients write it, who lose nothing', async () => {
    await using at = await mount(['-s', '4M', ...options]);
    await using client = await Client.start();
    writeFileSync(at.file, Buffer.alloc(256 << 10));
    const sign = join(makeDir('over'), 'sign');
    const wrote = client.sys.writeUniform(at.file, 256 << 10, { sign });
    for (const size of ['300K', '4M', '300K']) {
      expect((await ramproc('remount', at.dir, '-s', size)).status).toBe(0);
      expect((await ramproc('remount', at.dir, '-s', '200K')).status).toBe(32);
    }
    writeFileSync(sign, '');
    const { data = 0, ...others } = await wrote;
    expect([data > 0, others]).toEqual([true, {}]);
  });

  test('becomes read-only as a tmpfs does: not while it is open for writing, and then nothing else changes', async () => {
    await using at = await mount(['-s', '1M', ...options]);
    const word = () => mountAt(at.dir)?.options.filter((one) => one === 'ro' || one === 'rw');
    const fd = openSync(at.file, 'r+');
    const refused = await ramproc('remount', at.dir, '-o', 'ro', '-s', '2M');
    expect(refused).toEqual({
      status: 32,
      stdout: '',
      stderr: expect.stringMatching(
        /^ramproc: Cannot remount ".*": a file in it is open for writing, by process \d+ \(.*\); end that first\.\n$/,
      ),
    });
    expect([word(), most(at.dir)]).toEqual([['rw', 'rw'], MIB]);
    closeSync(fd);
    expect(await ramproc('remount', at.dir, '-o', 'ro', '-s', '2M')).toEqual(DONE);
    expect([word(), most(at.dir)]).toEqual([['ro', 'ro'], 2 * MIB]);
    expect(() => openSync(at.file, 'r+')).toThrow('EROFS');
    // What can't be keeps the rest from being.
    const { status } = await ramproc('remount', at.dir, '-o', 'rw', '--name', 'other');
    expect([status, word()]).toEqual([32, ['ro', 'ro']]);
    expect(await ramproc('remount', at.dir, '-o', 'rw')).toEqual(DONE);
    expect([word(), fill(at.file)]).toEqual([['rw', 'rw'], 2 * MIB]);
  });
});

test('of several files those change that are named, and all or none', async () => {
  await using at = await mount(['--file', 'a=1M', '--file', 'b:0600=1M']);
  const [a, b] = [join(at.dir, 'a'), join(at.dir, 'b')];
  expect(await ramproc('remount', at.dir, '--file', 'a=2M', '--file', 'b:0640')).toEqual(DONE);
  expect([fill(a), fill(b), statSync(b).mode & 0o777]).toEqual([2 * MIB, MIB, 0o640]);
  const refused = await ramproc('remount', at.dir, '--file', 'a=5M', '--file', 'b=4K');
  expect([refused.status, fill(a)]).toEqual([32, 2 * MIB]);
  const { stdout } = await ramproc('remount', at.dir, '--json', '--file', 'b=3M');
  expect(JSON.parse(stdout)).toEqual({
    dir: at.dir,
    files: [
      { file: a, maxSize: 2 * MIB },
      { file: b, maxSize: 3 * MIB },
    ],
  });
  const { stderr } = await ramproc('remount', at.dir, '-s', '3M');
  expect(stderr).toContain(
    'it has several files; say of which, as in "--file a=1G", and not by "--max-size".\n',
  );
});

test('of the mounts of one process only the one changes', async () => {
  await using one = await mount(['--join', '-s', '1M']);
  const two = await mount(['--join', '-s', '1M']);
  expect(two.pid).toBe(one.pid);
  expect(await ramproc('remount', two.dir, '-s', '2M')).toEqual(DONE);
  expect([fill(one.file), fill(two.file)]).toEqual([MIB, 2 * MIB]);
  expect(await ramproc('unmount', two.dir)).toEqual(DONE);
});

test('a second RAM file that was loaded is one of several', async () => {
  await using at = await mount(['-s', '1M']);
  await ramproc('load', 'rust_proc_ram_file', at.dir, 'name=b', 'max_size=1M');
  expect(await ramproc('remount', at.dir, '--file', 'b=2M')).toEqual(DONE);
  expect([fill(at.file), fill(join(at.dir, 'b'))]).toEqual([MIB, 2 * MIB]);
});

test('what is said as it is is no change, and what is not said stays', async () => {
  const options = [
    '-s',
    '1M',
    '-m',
    '0600',
    '--io',
    'cached',
    '-n',
    'notes',
    '--threads',
    '1',
    '--allow-other',
  ];
  await using at = await mount([...options, '-o', 'noexec']);
  expect(await ramproc('remount', at.dir, ...options)).toEqual(DONE);
  expect(await ramproc('remount', at.dir)).toEqual(DONE);
  expect(mountAt(at.dir)?.options).toContain('noexec');
  expect([most(at.dir), statSync(at.file).mode & 0o777]).toEqual([MIB, 0o600]);
});

test("reading moves atime or doesn't from then on, as the flag says", async () => {
  await using at = await mount();
  const atimeMoves = () => {
    writeFileSync(at.file, 'new');
    const before = statSync(at.file, { bigint: true }).atimeNs;
    readFileSync(at.file);
    return statSync(at.file, { bigint: true }).atimeNs > before;
  };
  expect(atimeMoves()).toBe(true);
  expect(await ramproc('remount', at.dir, '-o', 'noatime')).toEqual(DONE);
  expect([mountAt(at.dir)?.options.includes('noatime'), atimeMoves()]).toEqual([true, false]);
  expect(await ramproc('remount', at.dir, '-o', 'relatime')).toEqual(DONE);
  expect([mountAt(at.dir)?.options.includes('noatime'), atimeMoves()]).toEqual([false, true]);
});

describe('an ordinary user', () => {
  test('changes sizes and modes of what is theirs, and is told what only root can', async () => {
    await using at = await mountAsNobody(['-s', '1M']);
    expect(await ramprocAsNobody('remount', at.dir, '-s', '2M', '-m', '0444')).toEqual(DONE);
    expect((await runAsNobody('df', '-k', '--output=size', at.dir)).stdout).toBe('1K-blocks\n     2048\n');
    expect((await runAsNobody('stat', '-c', '%a', at.file)).stdout).toBe('444\n');
    expect((await ramprocAsNobody('remount', at.dir, '-o', 'ro')).stderr).toBe(
      `ramproc: Cannot remount "${at.dir}": the kernel lets only root change flags of a mount, and fusermount3 can't; as root, "mount -o remount,…" does it, and "--mode 0444" keeps others from writing.\n`,
    );
    // What is so already needs nobody.
    expect(await ramprocAsNobody('remount', at.dir, '-o', 'rw')).toEqual(DONE);
    // Root isn't let in, and may all the same.
    expect(await ramproc('remount', at.dir, '-o', 'ro', '-s', '3M')).toEqual(DONE);
    expect((await runAsNobody('df', '-k', '--output=size', at.dir)).stdout).toBe('1K-blocks\n     3072\n');
    expect(mountAt(at.dir)?.options).toContain('ro');
  });

  test("changes nothing of somebody else's", async () => {
    await using at = await mount(['-s', '1M', '--allow-other']);
    expect((await ramprocAsNobody('remount', at.dir, '-s', '2M')).stderr).toBe(
      `ramproc: Cannot remount "${at.dir}": only user 0 and root may ask its daemon.\n`,
    );
    expect(most(at.dir)).toBe(MIB);
  });
});
