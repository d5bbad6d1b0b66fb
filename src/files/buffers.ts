import type { UserSliceReader, UserSliceWriter } from '../proc-fs/user-slice.ts';
import { EINVAL, Errno } from '../sys/errno.ts';

/**
 * Text, or its bytes.
 *
 * @example
 * ```ts
 * const show = (): Text => (isBinary ? new Uint8Array([0, 1, 2]) : 'text\n');
 * ```
 */
export type Text = string | Uint8Array;

const encoder = new TextEncoder();

/** The bytes of a text, in UTF-8. */
export function bytesOf(text: Text): Uint8Array {
  if (typeof text === 'string') return encoder.encode(text);
  if (text instanceof Uint8Array) return text;
  throw new TypeError(`A text of a file is a string or bytes, and not ${text}.`);
}

/**
 * Answers a read at `offset`, in bytes, of a file that holds `data`: copies what there is and fits. Nothing from its end on. Source:
 * simple_read_from_buffer, fs/libfs.c.
 *
 * @example
 * ```ts
 * procCreate('motd', 0o444, null, { read: (_file, to, offset) => simpleReadFromBuffer(to, offset, 'Good morning.\n') });
 * ```
 */
export function simpleReadFromBuffer(to: UserSliceWriter, offset: number, data: Text): void {
  to.write(bytesOf(data).subarray(offset, offset + to.left));
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * All that a caller writes, as text in UTF-8. Throws EINVAL for more than `max` bytes, by default 4096, and for what isn't UTF-8.
 * Source: simple_write_to_buffer, fs/libfs.c, which cuts off instead.
 *
 * @example
 * ```ts
 * let motd = '';
 * procCreate('motd', 0o200, null, { write: (_file, from) => { motd = simpleWriteToBuffer(from); } });
 * ```
 */
export function simpleWriteToBuffer(from: UserSliceReader, max = 4096): string {
  if (from.left > max) throw new Errno(EINVAL);
  const bytes = from.readAll();
  try {
    return utf8.decode(bytes);
  } catch {
    throw new Errno(EINVAL);
  }
}
