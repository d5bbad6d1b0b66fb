import { NOBODY } from '../../../proc-fs/caller.ts';
import type { Attr, AttrChange } from '../../../proc-fs/handler.ts';
import type { ProcDirEntry } from '../../../proc-fs/proc-dir-entry.ts';
import { EINVAL, EIO, ENOENT } from '../../../sys/errno.ts';
import { copyToMemory } from '../../../sys/memory.ts';
import { S_IFMT } from '../../../sys/stat.ts';
import type { Timespec } from '../../../sys/time.ts';
import type { NativeRequest } from '../fuse-native.ts';
import { lookInto, stat } from '../layout.ts';
import { type Handlers, join64, type NativeTree } from '../server.ts';

/** chown(2): leave it. */
const UNCHANGED = 2 ** 32 - 1;

const bytes = new Uint8Array(stat.size);
const out = stat.at(new DataView(bytes.buffer), 0);

/**
 * Answers with an entry's attributes. They are written to libfuse's own `struct stat`, as the addon would do it, which
 * takes whole milliseconds since 1970 and no time before.
 */
function answerAttr(server: NativeTree, request: NativeRequest, entry: ProcDirEntry | undefined): void {
  const finish = (attr: Attr | number) => {
    if (entry !== undefined && typeof attr !== 'number') {
      copyToMemory(lookInto(request).stat, encode(entry, attr));
    }
    server.answer(request, typeof attr === 'number' ? attr : 0);
  };
  const attr = entry?.getattr(NOBODY) ?? -ENOENT;
  if (attr instanceof Promise) attr.then(finish);
  else finish(attr);
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
    server.answerRaw(request, server.entry(path)?.setattr(changed, NOBODY) ?? -ENOENT);
  return {
    getattr: (request, path) => answerAttr(server, request, server.entry(path)),
    fgetattr: (request, _path, fh) => answerAttr(server, request, server.files.get(fh)?.entry),
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

    truncate(request, path, low, high) {
      const entry = server.entry(path);
      if (entry === undefined) return server.answer(request, -ENOENT);
      server.answerRaw(request, entry.ops?.procTruncate(join64(low, high), NOBODY) ?? -EIO);
    },

    ftruncate: (request, _path, fh, low, high) =>
      server.answerRaw(request, server.files.get(fh)?.ops.procTruncate(join64(low, high), NOBODY) ?? -EINVAL),
  };
}
