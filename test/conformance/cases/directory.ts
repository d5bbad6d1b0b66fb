import { constants } from 'node:fs';
import { O_TMPFILE, RENAME_EXCHANGE, RENAME_NOREPLACE } from '../../support/calls/index.ts';
import { check } from '../case.ts';

const { O_RDONLY, O_WRONLY, O_RDWR, O_CREAT, O_EXCL, O_DIRECTORY } = constants;
const S_IFDIR = 0o040000;
const S_IFREG = 0o100000;
const S_IFIFO = 0o010000;

const NOBODY = 65534;

const likeProc = { oracle: '/proc' } as const;

/** Nothing in the directory can be created, renamed or removed: whoever tries is told what /proc tells. */
export const directoryCases = [
  check(
    'it lists the file, and says what it is',
    ({ sys, dir, file, expect }) => {
      const names = sys.readdir(dir);
      expect(Array.isArray(names) && names.includes(file.slice(dir.length + 1)), true);
      const stat = sys.stat(dir);
      expect(typeof stat === 'object' && stat.mode, S_IFDIR | 0o555);
    },
    likeProc,
  ),

  check(
    'a name that is not there is ENOENT',
    ({ sys, dir, expect }) => {
      expect(sys.open(`${dir}/none`, O_RDONLY), 'ENOENT');
      expect(sys.stat(`${dir}/none`), 'ENOENT');
      expect(sys.open(`${dir}/none/none`, O_RDONLY), 'ENOENT');
      expect(sys.unlink(`${dir}/none`), 'ENOENT');
      expect(sys.rmdir(`${dir}/none`), 'ENOENT');
    },
    likeProc,
  ),

  check(
    'a file is not created',
    ({ sys, dir, expect }) => {
      expect(sys.open(`${dir}/none`, O_RDWR | O_CREAT), 'ENOENT');
      expect(sys.open(`${dir}/none`, O_RDWR | O_CREAT | O_EXCL), 'ENOENT');
      expect(sys.mknod(`${dir}/none`, S_IFREG | 0o666), 'ENOENT');
      expect(sys.mknod(`${dir}/none`, S_IFIFO | 0o666), 'ENOENT');
    },
    likeProc,
  ),

  check(
    'neither is a directory nor a link',
    ({ sys, dir, file, expect }) => {
      expect(sys.mkdir(`${dir}/none`), 'ENOENT');
      expect(sys.symlink('x', `${dir}/none`), 'ENOENT');
      expect(sys.link(file, `${dir}/none`), 'ENOENT');
    },
    likeProc,
  ),

  check(
    'a name that is there is EEXIST for all that would create it',
    ({ sys, file, expect }) => {
      expect(sys.mkdir(file), 'EEXIST');
      expect(sys.mknod(file, S_IFREG | 0o666), 'EEXIST');
      expect(sys.symlink('x', file), 'EEXIST');
      expect(sys.link(file, file), 'EEXIST');
      expect(sys.open(file, O_RDONLY | O_CREAT | O_EXCL), 'EEXIST');
    },
    likeProc,
  ),

  check(
    'the file is not removed',
    ({ sys, file, expect }) => {
      expect(sys.unlink(file), 'EPERM');
      expect(sys.rmdir(file), 'ENOTDIR');
      expect(typeof sys.stat(file), 'object');
    },
    likeProc,
  ),

  check(
    'nothing is renamed',
    ({ sys, dir, file, expect }) => {
      expect(sys.rename(file, `${dir}/none`), 'ENOENT');
      expect(sys.rename(`${dir}/none`, file), 'ENOENT');
      expect(sys.rename(file, `${dir}/none`, RENAME_NOREPLACE), 'ENOENT');
      expect(sys.rename(file, file, RENAME_NOREPLACE), 'EEXIST');
      expect(sys.rename(file, `${dir}/none`, RENAME_EXCHANGE), 'ENOENT');
      expect(sys.rename(file, file), 0);
      expect(sys.rename(file, '/tmp/none'), 'EXDEV');
    },
    likeProc,
  ),

  check(
    'it is a directory to open, and no file',
    ({ sys, dir, expect }) => {
      expect(sys.open(dir, O_WRONLY), 'EISDIR');
      expect(sys.open(dir, O_RDWR | O_CREAT), 'EISDIR');
      expect(sys.open(dir, O_RDWR | O_TMPFILE), 'EOPNOTSUPP');
      expect(sys.truncate(dir, 0), 'EISDIR');
      const fd = Number(sys.open(dir, O_RDONLY | O_DIRECTORY));
      expect(sys.read(fd, 10), 'EISDIR');
      expect(sys.write(fd, 'x'), 'EBADF');
      expect(sys.close(fd), 0);
    },
    likeProc,
  ),

  check(
    'names too long to be there are not there',
    ({ sys, dir, expect }) => {
      for (const length of [255, 256, 1000]) {
        expect(sys.stat(`${dir}/${'n'.repeat(length)}`), 'ENOENT');
        expect(sys.mkdir(`${dir}/${'n'.repeat(length)}`), 'ENOENT');
      }
    },
    likeProc,
  ),

  check(
    'odd names are looked for',
    ({ sys, dir, expect }) => {
      for (const name of [' ', 'a b', 'a\nb', '\\', '"', 'ü', '\u{1f600}', '%s', '-']) {
        expect(sys.stat(`${dir}/${name}`), 'ENOENT');
      }
    },
    likeProc,
  ),

  check(
    'another user may list and look, and change nothing',
    async ({ dir, file, client, expect }) => {
      const nobody = await client(NOBODY);
      expect(typeof (await nobody.stat(file)), 'object');
      expect(await nobody.open(`${dir}/none`, O_RDONLY), 'ENOENT');
      expect(await nobody.unlink(file), 'EACCES');
      expect(await nobody.unlink(`${dir}/none`), 'ENOENT');
      expect(await nobody.mkdir(file), 'EEXIST');
    },
    likeProc,
  ),

  check(
    'another user creates nothing',
    async ({ dir, client, expect }) => {
      const nobody = await client(NOBODY);
      expect(await nobody.mkdir(`${dir}/none`), 'ENOENT');
      expect(await nobody.open(`${dir}/none`, O_RDWR | O_CREAT), 'ENOENT');
    },
    likeProc,
  ),
];
