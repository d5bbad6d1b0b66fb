import type { ProcDirEntry } from '../proc-fs/entries/entry.ts';
import { file, type ProcNode } from '../proc-fs/entries/node.ts';
import { procAdd } from '../proc-fs/entries/proc-create.ts';
import { ENOSPC, Errno } from '../sys/errno.ts';
import { simpleReadFromBuffer } from './buffers.ts';
import { defaultLseek } from './seek.ts';

/**
 * Creates a file that shows bytes as they are in memory now, and sets them, as far as `mode` lets clients write. Their number stays the
 * same: a write is cut off at the end, and ENOSPC from there on.
 *
 * Throws as procCreate does. Source: debugfs_create_blob, fs/debugfs/file.c, where a write at the end is 0.
 *
 * @example
 * ```ts
 * const counters = new Uint32Array(1024);
 * procBlob('counters', 0o444, null, new Uint8Array(counters.buffer));
 * ```
 */
export function procBlob(
  name: string,
  mode: number,
  parent: ProcDirEntry | null,
  bytes: Uint8Array,
): ProcDirEntry {
  return procAdd(name, parent, blob(mode, bytes));
}

/**
 * The same as procBlob, without a name and a place.
 *
 * @example
 * ```ts
 * const job = dir(0o555, { image: blob(0o444, image) });
 * ```
 */
export function blob(mode: number, bytes: Uint8Array): ProcNode {
  return file(mode, {
    lseek: defaultLseek,
    read: (_file, to, offset) => simpleReadFromBuffer(to, offset, bytes),
    write(_file, from, offset) {
      if (offset >= bytes.length) throw new Errno(ENOSPC);
      from.read(bytes.subarray(offset, offset + from.left));
    },
  });
}
