import { NOBODY } from '../../../proc-fs/caller.ts';
import type { ProcDirEntry } from '../../../proc-fs/entries/entry.ts';
import type { Attr, AttrChange } from '../../../proc-fs/handler.ts';
import { EINVAL, EIO, ENOENT } from '../../../sys/errno.ts';
import { copyToMemory } from '../../../sys/memory.ts';
import { S_IFMT } from '../../../sys/stat.ts';
import type { Timespec } from '../../../sys/time.ts';
import type { NativeRequest } from '../fuse-native.ts';
import { lookInto, stat } from '../layout.ts';
import { type Handlers, join64, type NativeTree, settle } from '../server.ts';

/** chown(2): leave it. */
const UNCHANGED = 2 ** 32 - 1;

const bytes = new Uint8Array(stat.size);
const out = stat.at(new DataView(bytes.buffer), 0);

/**
 * Answers with an entry's attributes. They are written to libfuse's own `struct stat`, as the addon would do it, which
 * takes whole milliseconds since 1970 and no time before.
 */
function answerAttr(server: NativeTree, request: NativeRequest, entry: ProcDirEntry): void {
  settle(entry.getattrFound(NOBODY), (attr) => {
    if (typeof attr !== 'number') copyToMemory(lookInto(request).stat, encode(entry, attr));
    server.answer(request, typeof attr === 'number' ? attr : 0);
  });
}

function encode(entry: ProcDirEntry, { mode, atime, mtime, ctime, ...same }: Attr): Uint8Array {
  Object.assign(out, same, {
    ino: entry.ino,
    nlink: entry.nlink,
    mode: modeOf(entry, mode),
    atime: atime.sec,
    atimensec: atime.nsec,
    mtime: mtime.sec,
    mtimensec: mtime.nsec,
    ctime: ctime.sec,
    ctimensec: ctime.nsec,
  });
  return bytes;
}

/** st_mode: the kind of an entry, and its permissions. */
export function modeOf({ kind }: ProcDirEntry, permissions: number): number {
  return S_IFMT[kind] | permissions;
}

function timespec(ms: number): Timespec {
  const sec = Math.floor(ms / 1000);
  return { sec, nsec: (ms - sec * 1000) * 1_000_000 };
}

export function attributes(
  server: NativeTree,
): Handlers<'getattr' | 'fgetattr' | 'chmod' | 'chown' | 'utimens' | 'truncate' | 'ftruncate'> {
  const change = (request: NativeRequest, path: string, changed: AttrChange) =>
    server.onEntry(request, path, (entry) => server.answerRaw(request, entry.setattr(changed, NOBODY)));
  return {
    getattr: (request, path) => server.onEntry(request, path, (entry) => answerAttr(server, request, entry)),

    fgetattr(request, _path, fh) {
      const entry = server.files.get(fh)?.entry;
      if (entry === undefined) server.answer(request, -ENOENT);
      else answerAttr(server, request, entry);
    },

    chmod: (request, path, mode) => change(request, path, { mode: mode & 0o7777 }),

    chown: (request, path, uid, gid) =>
      change(request, path, {
        ...(uid === UNCHANGED ? {} : { uid }),
        ...(gid === UNCHANGED ? {} : { gid }),
      }),

    utimens(request, path) {
      const { atime, mtime } = lookInto(request);
      change(request, path, { atime: timespec(atime), mtime: timespec(mtime) });
    },

    truncate: (request, path, low, high) =>
      server.onEntry(request, path, ({ ops }) =>
        server.answerRaw(request, ops?.procTruncate(join64(low, high), NOBODY) ?? -EIO),
      ),

    ftruncate: (request, _path, fh, low, high) =>
      server.answerRaw(request, server.files.get(fh)?.ops.procTruncate(join64(low, high), NOBODY) ?? -EINVAL),
  };
}
