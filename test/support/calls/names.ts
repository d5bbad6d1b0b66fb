import { readdirSync, readlinkSync } from 'node:fs';
import { libcFunction } from '../../../src/sys/libc.ts';
import { type Answer, answer, done } from '../answer.ts';

export const RENAME_NOREPLACE = 1;
export const RENAME_EXCHANGE = 2;

const AT_FDCWD = -100;

const mkdir = libcFunction<[path: string, mode: number]>('mkdir', 'int', ['str', 'uint']);
const mknod = libcFunction<[path: string, mode: number, device: number]>('mknod', 'int', [
  'str',
  'uint',
  'uint64_t',
]);
const onePath = (name: string) => libcFunction<[path: string]>(name, 'int', ['str']);
const twoPaths = (name: string) => libcFunction<[from: string, to: string]>(name, 'int', ['str', 'str']);
const unlink = onePath('unlink');
const rmdir = onePath('rmdir');
const symlink = twoPaths('symlink');
const link = twoPaths('link');
const renameat2 = libcFunction<
  [fromDirectory: number, from: string, toDirectory: number, to: string, flags: number]
>('renameat2', 'int', ['int', 'str', 'int', 'str', 'uint']);

const getdents = libcFunction<[fd: number, buffer: Uint8Array, size: number]>('getdents64', 'long', [
  'int',
  'void *',
  'size_t',
]);

/** An entry as getdents64(2) lists it. */
export interface Dirent {
  readonly name: string;
  readonly ino: bigint;
  readonly type: number;
}

/** Source: struct linux_dirent64 in getdents(2). */
function direntsIn(bytes: Buffer): Dirent[] {
  const entries: Dirent[] = [];
  for (let at = 0; at < bytes.length; at += bytes.readUInt16LE(at + 16)) {
    const name = bytes.toString('utf8', at + 19, bytes.indexOf(0, at + 19));
    entries.push({ name, ino: bytes.readBigUInt64LE(at), type: bytes.readUInt8(at + 18) });
  }
  return entries;
}

/** What concerns names in a directory. */
export const nameCalls = {
  readdir: (path: string): Answer<string[]> => answer(() => readdirSync(path)),
  readlink: (path: string): Answer<string> => answer(() => readlinkSync(path)),
  mkdir: (path: string): Answer<number> => answer(() => mkdir(path, 0o777)),
  mknod: (path: string, mode: number): Answer<number> => answer(() => mknod(path, mode, 0)),
  unlink: (path: string): Answer<number> => answer(() => unlink(path)),
  rmdir: (path: string): Answer<number> => answer(() => rmdir(path)),
  symlink: (target: string, path: string): Answer<number> => answer(() => symlink(target, path)),
  link: (from: string, to: string): Answer<number> => answer(() => link(from, to)),
  /** One call, with room for `size` bytes; no entries at the end. */
  getdents: (fd: number, size: number): Answer<Dirent[]> =>
    answer(() => {
      const bytes = Buffer.alloc(size);
      return direntsIn(bytes.subarray(0, getdents(fd, bytes, size)));
    }),
  chdir: (path: string): Answer<0> => done(() => process.chdir(path)),
  rename: (from: string, to: string, flags = 0): Answer<number> =>
    answer(() => renameat2(AT_FDCWD, from, AT_FDCWD, to, flags)),
};
