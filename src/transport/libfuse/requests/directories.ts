import { NAME_MAX, type ProcDirEntry } from '../../../proc-fs/proc-dir-entry.ts';
import { ENOENT, ENOTDIR } from '../../../sys/errno.ts';
import type { Handlers, NativeTree } from '../server.ts';
import { modeOf } from './attributes.ts';

/** The numbers of what index.js of fuse-native makes of a stat, and where the two lie that a listing has. */
const STAT_NUMBERS = 18;
const STAT_MODE = 0;
const STAT_INO = 7;

function listed(entry: ProcDirEntry): Uint32Array {
  const numbers = new Uint32Array(STAT_NUMBERS);
  numbers[STAT_MODE] = modeOf(entry, 0);
  numbers[STAT_INO] = entry.ino;
  return numbers;
}

/** The largest number of pages that the addon can pass on. */
const MOST = 2 ** 32 - 1;

export function directories(server: NativeTree): Handlers<'readdir' | 'statfs' | 'listxattr'> {
  const { native } = server;
  return {
    /** libfuse asks for the whole listing at once, and keeps it for as long as the directory is open. */
    readdir(request, path) {
      const directory = server.entry(path);
      if (directory === undefined) return server.answer(request, -ENOENT);
      if (directory.kind !== 'directory') return server.answer(request, -ENOTDIR);
      const children = [...directory.children];
      const names = ['.', '..', ...children.map(({ name }) => name)];
      const stats = [directory, directory.parent, ...children].map(listed);
      native.fuse_native_signal_readdir(request, 0, names, stats);
    },

    statfs(request) {
      const { used, max, size } = server.usage();
      const blocks = Math.min(max, MOST);
      const bfree = Math.min(Math.max(0, max - used), MOST);
      const none = { files: 0, ffree: 0, favail: 0, fsid: 0, flag: 0 };
      const statvfs = { bsize: size, frsize: size, blocks, bfree, bavail: bfree, ...none, namemax: NAME_MAX };
      native.fuse_native_signal_statfs(request, 0, Uint32Array.from(Object.values(statvfs)));
    },

    /** There are none, as in /proc. Getting and setting one is ENOSYS, as for all that has no handler. */
    listxattr: (request, _path, list) => native.fuse_native_signal_listxattr(request, 0, list.buffer),
  };
}
