import type { ProcDirEntry } from '../proc-fs/entries/entry.ts';
import { file, type ProcNode } from '../proc-fs/entries/node.ts';
import { procAdd } from '../proc-fs/entries/proc-create.ts';
import { simpleReadFromBuffer } from './buffers.ts';
import type { Cell } from './cell.ts';
import { defaultLseek } from './seek.ts';

const NEWLINE = 0x0a;

/**
 * Creates a file that shows and sets a text, as those of /proc/sys do: a line, of which the newline isn't part of the text. A write at an
 * offset within the text goes on from there, and what follows is cut off; past its end, nothing is set (sysctl_writes_strict).
 *
 * @param mode Permission bits, 0 to 0o7777.
 * @param cell Holds the text.
 * @param maxLength The most bytes that the text may have; what is written beyond is dropped. Default: 255.
 *
 * Throws as procCreate does. Source: proc_dostring, kernel/sysctl.c.
 *
 * @example
 * ```ts
 * const greeting = { value: 'hello' };
 * procDostring('greeting', 0o644, null, greeting, 64);
 * ```
 */
export function procDostring(
  name: string,
  mode: number,
  parent: ProcDirEntry | null,
  cell: Cell<string>,
  maxLength?: number,
): ProcDirEntry {
  return procAdd(name, parent, dostring(mode, cell, maxLength));
}

/**
 * The same as procDostring, without a name and a place.
 *
 * @example
 * ```ts
 * const job = dir(0o555, { title: dostring(0o644, title) });
 * ```
 */
export function dostring(mode: number, cell: Cell<string>, maxLength = 255): ProcNode {
  /** The bytes that were written last: a character may come in two pieces, and half of it is no text. */
  let written = { text: '', bytes: Buffer.alloc(0) };
  const present = () => (cell.value === written.text ? written.bytes : Buffer.from(cell.value));
  return file(mode, {
    lseek: defaultLseek,
    read(_file, to, offset) {
      simpleReadFromBuffer(to, offset, Buffer.concat([present(), Buffer.of(NEWLINE)]));
    },
    write(_file, from, offset) {
      const data = from.readAll();
      const before = present().subarray(0, maxLength);
      if (offset > before.length) return;
      const end = data.findIndex((byte) => byte === 0 || byte === NEWLINE);
      const line = end < 0 ? data : data.subarray(0, end);
      const bytes = Buffer.concat([before.subarray(0, offset), line]).subarray(0, maxLength);
      cell.value = bytes.toString();
      written = { text: cell.value, bytes };
    },
  });
}
