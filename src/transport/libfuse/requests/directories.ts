import { NOBODY } from '../../../proc-fs/caller.ts';
import type { ProcDirEntry } from '../../../proc-fs/entries/entry.ts';
import { NAME_MAX } from '../../../proc-fs/entries/name.ts';
import { type AddEntry, OpenDirectory } from '../../../proc-fs/entries/open-directory.ts';
import { answer } from '../../../proc-fs/proc-ops.ts';
import { ENAMETOOLONG, ENOTDIR } from '../../../sys/errno.ts';
import { NO_USAGE } from '../../usage.ts';
import { type Handlers, type NativeTree, settle } from '../server.ts';
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

/** The longest target of a link, in bytes (PATH_MAX, with its NUL). */
const MOST_OF_LINK = 4095;

/** The largest number of pages that the addon can pass on. */
const MOST = 2 ** 32 - 1;

export function directories(server: NativeTree): Handlers<'readdir' | 'readlink' | 'statfs' | 'listxattr'> {
  const { native } = server;
  return {
    /** libfuse asks for the whole listing at once, and keeps it for as long as the directory is open. */
    readdir: (request, path) =>
      server.onEntry(request, path, (directory) => {
        if (directory.kind !== 'directory') return server.answer(request, -ENOTDIR);
        const names: string[] = [];
        const stats: Uint32Array[] = [];
        const open = new OpenDirectory(directory);
        const add: AddEntry = (name, entry) => {
          stats.push(listed(entry));
          return names.push(name) > 0;
        };
        const listing = answer(
          () => open.list(0, NOBODY, add),
          () => 0,
        );
        settle(listing, (result) => {
          open.close();
          if (result < 0) server.answer(request, result);
          else native.fuse_native_signal_readdir(request, 0, names, stats);
        });
      }),

    readlink: (request, path) =>
      server.onEntry(request, path, (entry) =>
        settle(entry.readlink(NOBODY), (target) => {
          if (typeof target === 'number') return server.answer(request, target);
          if (Buffer.byteLength(target) > MOST_OF_LINK) return server.answer(request, -ENAMETOOLONG);
          native.fuse_native_signal_readlink(request, 0, target);
        }),
      ),

    statfs(request) {
      settle(server.usage(), (usage) => {
        const [error, { used, max, size }] = typeof usage === 'number' ? [usage, NO_USAGE] : [0, usage];
        const blocks = Math.min(max, MOST);
        const bfree = Math.min(Math.max(0, max - used), MOST);
        const none = { files: 0, ffree: 0, favail: 0, fsid: 0, flag: 0 };
        const statvfs = {
          bsize: size,
          frsize: size,
          blocks,
          bfree,
          bavail: bfree,
          ...none,
          namemax: NAME_MAX,
        };
        native.fuse_native_signal_statfs(request, error, Uint32Array.from(Object.values(statvfs)));
      });
    },

    /** There are none, as in /proc. Getting and setting one is ENOSYS, as for all that has no handler. */
    listxattr: (request, _path, list) => native.fuse_native_signal_listxattr(request, 0, list.buffer),
  };
}
