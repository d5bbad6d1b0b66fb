import { NOBODY } from '../../../proc-fs/caller.ts';
import type { ProcFile } from '../../../proc-fs/handler.ts';
import { UserSliceReader, UserSliceWriter } from '../../../proc-fs/user-slice.ts';
import { EINVAL, ENOENT } from '../../../sys/errno.ts';
import { copyToMemory } from '../../../sys/memory.ts';
import type { NativeRequest } from '../fuse-native.ts';
import { fuseFileInfo, INFO_NONSEEKABLE, lookInto } from '../layout.ts';
import { type Handlers, join64, type NativeTree, settle } from '../server.ts';

const bytes = new Uint8Array(fuseFileInfo.size);
const info = fuseFileInfo.at(new DataView(bytes.buffer), 0);

/** The addon has no way to say it: writes `nonseekable` into libfuse's own `struct fuse_file_info`, which is fresh. */
function setNonseekable(request: NativeRequest, flags: number): void {
  Object.assign(info, { flags, bits: INFO_NONSEEKABLE });
  copyToMemory(lookInto(request).info, bytes);
}

export function files(server: NativeTree): Handlers<'open' | 'release' | 'read' | 'write' | 'fsync'> {
  const { native } = server;
  return {
    open(request, path, flags) {
      server.onEntry(request, path, (entry) => {
        const { ops } = entry;
        if (ops === undefined) return server.answer(request, -ENOENT);
        const file: ProcFile = { flags, uid: NOBODY.uid, pos: 0, privateData: undefined };
        settle(ops.procOpen(file, NOBODY), (result) => {
          if (result < 0) return server.answer(request, result);
          if (ops.handler.lseek === undefined) setNonseekable(request, flags);
          native.fuse_native_signal_open(request, 0, server.files.add({ entry, ops, file }));
        });
      });
    },

    release(request, _path, fh) {
      const open = server.files.take(fh);
      server.answerRaw(request, open?.ops.procRelease(open.file, NOBODY) ?? -EINVAL);
    },

    read(request, _path, fh, memory, length, low, high) {
      const open = server.files.get(fh);
      const to = new UserSliceWriter().place(memory, 0, length);
      settle(open?.ops.procRead(open.file, to, join64(low, high), NOBODY) ?? -EINVAL, (result) =>
        native.fuse_native_signal_read(request, result, result, memory.buffer),
      );
    },

    /** Who writes isn't known here either, and so nobody keeps set-user-ID bits by it. */
    write(request, _path, fh, memory, length, low, high) {
      const open = server.files.get(fh);
      open?.ops.procKillPriv();
      const from = new UserSliceReader().place(memory, 0, length);
      settle(open?.ops.procWrite(open.file, from, join64(low, high), NOBODY) ?? -EINVAL, (result) =>
        native.fuse_native_signal_write(request, result, result, memory.buffer),
      );
    },

    fsync(request, _path, dataOnly, fh) {
      const open = server.files.get(fh);
      server.answerRaw(request, open?.ops.procFsync(open.file, dataOnly !== 0, NOBODY) ?? -EINVAL);
    },
  };
}
