import type { Caller } from '../proc-fs/caller.ts';
import type { ProcDirEntry } from '../proc-fs/entries/entry.ts';
import { file, type ProcNode } from '../proc-fs/entries/node.ts';
import { procAdd } from '../proc-fs/entries/proc-create.ts';
import type { MaybePromise, ProcHandler } from '../proc-fs/handler.ts';
import { whenThere } from '../proc-fs/later.ts';
import { none } from '../proc-fs/proc-ops.ts';
import { EINVAL, Errno } from '../sys/errno.ts';
import { bytesOf, simpleReadFromBuffer, simpleWriteToBuffer, type Text } from './buffers.ts';
import { seqLseek } from './seek.ts';

/** The most that is taken from one write, in bytes: what the kernel hands over in one piece. */
const MAX_WRITE = 1 << 20;

/**
 * Creates a file whose text is made in one piece.
 *
 * @param mode Permission bits, 0 to 0o7777.
 * @param show Makes the text when somebody begins to read it, and again when a reader goes back to its start; each open file has its
 * own. May be async.
 * @param store Takes what is written in one piece from the start, up to 1 MiB, as text in UTF-8, with its newline. Any other write is
 * EINVAL, and without `store` each is EIO. May be async.
 *
 * What they throw is answered as ProcHandler says. Throws as procCreate does. Source: proc_create_single, fs/proc/generic.c;
 * single_open, fs/seq_file.c.
 *
 * @example A setting, which is refused when it is out of range.
 * ```ts
 * let level = 3;
 * procCreateSingle('level', 0o644, null, () => `${level}\n`, (text) => {
 *   if (!/^[0-7]\n?$/.test(text)) throw new Errno('EINVAL');
 *   level = Number(text);
 * });
 * ```
 */
export function procCreateSingle(
  name: string,
  mode: number,
  parent: ProcDirEntry | null,
  show: (caller: Caller) => MaybePromise<Text>,
  store?: (text: string, caller: Caller) => MaybePromise<void>,
): ProcDirEntry {
  return procAdd(name, parent, single(mode, show, store));
}

/**
 * The same as procCreateSingle, without a name and a place.
 *
 * @example
 * ```ts
 * const job = dir(0o555, { state: single(0o444, () => `${state}\n`) });
 * ```
 */
export function single(
  mode: number,
  show: (caller: Caller) => MaybePromise<Text>,
  store?: (text: string, caller: Caller) => MaybePromise<void>,
): ProcNode {
  return file(mode, singleHandler(show, store));
}

function singleHandler(
  show: (caller: Caller) => MaybePromise<Text>,
  store: ((text: string, caller: Caller) => MaybePromise<void>) | undefined,
): ProcHandler<Uint8Array | undefined> {
  const handler: ProcHandler<Uint8Array | undefined> = {
    lseek: seqLseek,
    read(file, to, offset, caller) {
      const keep = (text: Text) => {
        file.privateData = bytesOf(text);
        simpleReadFromBuffer(to, offset, file.privateData);
      };
      if (offset > 0 && file.privateData !== undefined) return keep(file.privateData);
      return whenThere(show(caller), keep);
    },
  };
  if (store !== undefined) {
    handler.write = (_file, from, offset, caller) => {
      if (offset !== 0) throw new Errno(EINVAL);
      // What it may return is no count of bytes.
      return whenThere(store(simpleWriteToBuffer(from, MAX_WRITE), caller), (nothing) => void none(nothing));
    };
  }
  return handler;
}
