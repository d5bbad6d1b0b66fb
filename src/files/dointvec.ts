import type { ProcDirEntry } from '../proc-fs/entries/entry.ts';
import { file, type ProcNode } from '../proc-fs/entries/node.ts';
import { procAdd } from '../proc-fs/entries/proc-create.ts';
import { EINVAL, Errno } from '../sys/errno.ts';
import { simpleReadFromBuffer } from './buffers.ts';
import type { Cell } from './cell.ts';
import { defaultLseek } from './seek.ts';

const INT_MIN = -(2 ** 31);
const INT_MAX = 2 ** 31 - 1;

/**
 * Creates a file that shows and sets a whole number, as those of /proc/sys do: written as decimal, octal (`010`) or hexadecimal (`0x8`),
 * with or without space around it. EINVAL for anything else, and for what is out of range. A second number is left to the next write,
 * and a write that doesn't start at 0 sets nothing (sysctl_writes_strict).
 *
 * @param mode Permission bits, 0 to 0o7777.
 * @param cell Holds the number. A setter for its `value` may do more with it, and throw an Errno.
 * @param min The least that can be written. Default: -2^31.
 * @param max The most. Default: 2^31 - 1.
 *
 * Throws as procCreate does, and a RangeError when `min` is more than `max`. Source: proc_dointvec_minmax, kernel/sysctl.c.
 *
 * @example
 * ```ts
 * const workers = { value: 4 };
 * procDointvecMinmax('workers', 0o644, null, workers, 1, 64);
 * ```
 */
export function procDointvecMinmax(
  name: string,
  mode: number,
  parent: ProcDirEntry | null,
  cell: Cell<number>,
  min?: number,
  max?: number,
): ProcDirEntry {
  return procAdd(name, parent, dointvecMinmax(mode, cell, min, max));
}

/**
 * The same as procDointvecMinmax, without a name and a place.
 *
 * @example
 * ```ts
 * const job = dir(0o555, { priority: dointvecMinmax(0o644, priority, 0, 39) });
 * ```
 */
export function dointvecMinmax(mode: number, cell: Cell<number>, min = INT_MIN, max = INT_MAX): ProcNode {
  if (min > max) throw new RangeError(`No number is ${min} or more and ${max} or less.`);
  return intFile(
    mode,
    () => cell.value,
    (value) => {
      if (value < min || value > max) throw new Errno(EINVAL);
      cell.value = value;
    },
  );
}

/**
 * Creates a file that shows a boolean as 0 or 1, and sets it: any number but 0 is true. Otherwise as procDointvecMinmax.
 *
 * Throws as procCreate does. Source: proc_dobool, kernel/sysctl.c.
 *
 * @example
 * ```ts
 * const verbose = { value: false };
 * procDobool('verbose', 0o644, null, verbose);
 * ```
 */
export function procDobool(
  name: string,
  mode: number,
  parent: ProcDirEntry | null,
  cell: Cell<boolean>,
): ProcDirEntry {
  return procAdd(name, parent, dobool(mode, cell));
}

/**
 * The same as procDobool, without a name and a place.
 *
 * @example
 * ```ts
 * const job = dir(0o555, { paused: dobool(0o644, paused) });
 * ```
 */
export function dobool(mode: number, cell: Cell<boolean>): ProcNode {
  return intFile(
    mode,
    () => Number(cell.value),
    (value) => {
      cell.value = value !== 0;
    },
  );
}

function intFile(mode: number, get: () => number, set: (value: number) => void): ProcNode {
  return file(mode, {
    lseek: defaultLseek,
    read(_file, to, offset) {
      if (offset === 0) simpleReadFromBuffer(to, 0, `${get()}\n`);
    },
    write(_file, from, offset) {
      const text = Buffer.from(from.readAll()).toString('latin1');
      if (offset > 0) return text.length;
      const { value, length } = parse(text);
      set(value);
      return length;
    },
  });
}

/** What isspace() of the kernel takes for space. Source: lib/ctype.c. */
const SPACE = /^[\t-\r \xa0]*/;

/** What may stand behind a number. Source: proc_wspace_sep. */
const SEPARATOR = /^[ \t\n]/;

/** Source: TMPBUFLEN: a number that fills it may have been cut off. */
const LONGEST = 20;

/** The first number of a text, and how much of the text that was. Source: proc_get_long and strtoul_lenient, kernel/sysctl.c. */
function parse(text: string): { value: number; length: number } {
  const start = spaceAt(text, 0);
  const [number = ''] = text.slice(start).match(/^-?(0x[\da-f]+|0[0-7]*|[1-9]\d*)/i) ?? [];
  const end = start + number.length;
  const isSeparated = end === text.length || SEPARATOR.test(text.slice(end, end + 1));
  if (number === '' || number.length > LONGEST || !isSeparated) throw new Errno(EINVAL);
  const digits = number.replace('-', '');
  const size = digits.startsWith('0') && !/x/i.test(digits) ? Number.parseInt(digits, 8) : Number(digits);
  const value = number.startsWith('-') ? 0 - size : size;
  if (value < INT_MIN || value > INT_MAX) throw new Errno(EINVAL);
  return { value, length: end + spaceAt(text, end) };
}

/** How many characters of space there are. */
function spaceAt(text: string, index: number): number {
  return text.slice(index).match(SPACE)?.[0].length ?? 0;
}
