import type { Caller } from '../proc-fs/caller.ts';
import type { MaybePromise, ProcFile, ProcHandler } from '../proc-fs/handler.ts';
import { type ProcDirEntry, procCreate } from '../proc-fs/proc-dir-entry.ts';
import { Whence } from '../proc-fs/whence.ts';
import { EINVAL, Errno } from '../sys/errno.ts';
import { bytesOf, simpleReadFromBuffer, simpleWriteToBuffer, type Text } from './buffers.ts';

/** The most that is taken from one write, in bytes: what the kernel hands over in one piece. */
const MAX_WRITE = 1 << 20;

/**
 * Creates a file whose whole text `show` makes when somebody begins to read it, and again when a reader goes back to its start. Each
 * open file has its own. What is written in one piece from the start goes to `store` as text in UTF-8; any other write is EINVAL, and
 * without `store` each is EIO. Both may be async; an Errno that they throw is the caller's. Throws as procCreate does.
 *
 * Source: proc_create_single, fs/proc/generic.c; single_open, fs/seq_file.c.
 *
 * @example
 * ```ts
 * const started = Date.now();
 * procCreateSingle('uptime', 0o444, null, () => `${(Date.now() - started) / 1000}\n`);
 * ```
 */
export function procCreateSingle(
  name: string,
  mode: number,
  parent: ProcDirEntry | null,
  show: (caller: Caller) => MaybePromise<Text>,
  store?: (text: string, caller: Caller) => MaybePromise<void>,
): ProcDirEntry {
  return procCreate(name, mode, parent, singleHandler(show, store));
}

function singleHandler(
  show: (caller: Caller) => MaybePromise<Text>,
  store: ((text: string, caller: Caller) => MaybePromise<void>) | undefined,
): ProcHandler<Uint8Array | undefined> {
  const handler: ProcHandler<Uint8Array | undefined> = {
    lseek,
    read(file, to, offset, caller) {
      const keep = (text: Text) => {
        file.privateData = bytesOf(text);
        simpleReadFromBuffer(to, offset, file.privateData);
      };
      if (offset > 0 && file.privateData !== undefined) return keep(file.privateData);
      const text = show(caller);
      return text instanceof Promise ? text.then(keep) : keep(text);
    },
  };
  if (store !== undefined) {
    handler.write = (_file, from, offset, caller) => {
      if (offset !== 0) throw new Errno(EINVAL);
      return store(simpleWriteToBuffer(from, MAX_WRITE), caller);
    };
  }
  return handler;
}

/** What is made while it is read has no end to seek from, and no holes. Source: seq_lseek, fs/seq_file.c. */
export function lseek(file: ProcFile, offset: number, whence: Whence): number {
  const position = whence === Whence.SeekCur ? file.pos + offset : offset;
  if (position < 0 || (whence !== Whence.SeekSet && whence !== Whence.SeekCur)) throw new Errno(EINVAL);
  return position;
}
