import type { DirOps } from '../proc-fs/entries/dir-ops.ts';
import type { ProcDirEntry } from '../proc-fs/entries/entry.ts';
import { dir, type ProcNode } from '../proc-fs/entries/node.ts';
import { procRoot } from '../proc-fs/entries/proc-create.ts';
import { EINVAL, Errno } from '../sys/errno.ts';
import { blob } from './blob.ts';
import { single } from './single.ts';

/**
 * Shows an object as it is, at any time: a property is a file with its value, or a directory when that is an object, an array or a Map.
 * What the program changes is seen at once, and a client's write sets the property, where the program itself could.
 *
 * Numbers, booleans (`0`, `1`, `n`, `y`, `no`, `yes`, `off`, `on`), bigints and strings keep their type; what isn't one is EINVAL. Bytes
 * are a procBlob, and a Date is its ISO 8601 text. Functions, symbols, `undefined`, what isn't enumerable, and an object within itself
 * aren't shown. A setter may refuse with an Errno.
 *
 * @param parent The directory in which the properties stand, or null for `procRoot`.
 *
 * Disposing the answer ends it. Throws ENOTDIR below a file.
 *
 * @example
 * ```ts
 * const settings = { port: 8080, log: { level: 'info' } };
 * using mirror = procTree(procMkdir('settings', 0o555, null), settings); // echo debug >settings/log/level
 * ```
 */
export function procTree(parent: ProcDirEntry | null, object: object): Disposable {
  return (parent ?? procRoot).addNames(new Mirror(object, []));
}

/** A directory for an object. */
class Mirror implements DirOps {
  readonly #object: object;
  /** The objects that it is in. */
  readonly #above: readonly object[];
  readonly #below = new WeakMap<object, ProcNode>();

  constructor(object: object, above: readonly object[]) {
    this.#object = object;
    this.#above = above;
  }

  *iterate(): Generator<string> {
    const object = this.#object;
    for (const key of object instanceof Map ? object.keys() : Object.keys(object)) {
      if (typeof key === 'string' && isName(key)) yield key;
    }
  }

  lookup(name: string): ProcNode | undefined {
    const value = this.#get(name);
    switch (typeof value) {
      case 'undefined':
      case 'function':
      case 'symbol':
        return undefined;
      case 'object':
        return value === null ? this.#file(name) : this.#nodeOf(name, value);
      default:
        return this.#file(name);
    }
  }

  #nodeOf(name: string, value: object): ProcNode | undefined {
    if (value instanceof Date) return single(0o444, () => textOf(this.#get(name)));
    if (value === this.#object || this.#above.includes(value)) return undefined;
    const known = this.#below.get(value);
    if (known !== undefined) return known;
    const node =
      value instanceof Uint8Array
        ? blob(0o644, value)
        : dir(0o555, new Mirror(value, [...this.#above, this.#object]));
    this.#below.set(value, node);
    return node;
  }

  #file(name: string): ProcNode {
    const show = () => textOf(this.#get(name));
    if (!this.#canSet(name)) return single(0o444, show);
    return single(0o644, show, (text) => this.#set(name, parse(text, this.#get(name))));
  }

  #get(name: string): unknown {
    const object = this.#object;
    if (object instanceof Map) return object.get(name);
    const { enumerable = false } = Object.getOwnPropertyDescriptor(object, name) ?? {};
    return enumerable ? Reflect.get(object, name) : undefined;
  }

  #canSet(name: string): boolean {
    const object = this.#object;
    if (object instanceof Map) return true;
    const { writable = false, set } = Object.getOwnPropertyDescriptor(object, name) ?? {};
    return (writable || set !== undefined) && this.#get(name) !== null;
  }

  #set(name: string, value: unknown): void {
    const object = this.#object;
    if (object instanceof Map) object.set(name, value);
    else if (!Reflect.set(object, name, value)) throw new Errno(EINVAL);
  }
}

function isName(key: string): boolean {
  return key !== '' && key !== '.' && key !== '..' && !/[/\0]/.test(key) && Buffer.byteLength(key) <= 255;
}

function textOf(value: unknown): string {
  return `${value instanceof Date ? value.toISOString() : value}\n`;
}

/** How a boolean is written, as kstrtobool of lib/kstrtox.c takes it. */
const booleans = new Map([
  ...['0', 'n', 'no', 'off', 'f', 'false'].map((word) => [word, false] as const),
  ...['1', 'y', 'yes', 'on', 't', 'true'].map((word) => [word, true] as const),
]);

/** A text as a value of the same type as the present one. */
function parse(text: string, present: unknown): unknown {
  const line = text.replace(/\n$/, '');
  const word = line.trim();
  switch (typeof present) {
    case 'string':
      return line;
    case 'number':
      return checked(word === '' ? undefined : Number(word));
    case 'bigint':
      return checked(/^-?\d+$/.test(word) ? BigInt(word) : undefined);
    case 'boolean':
      return checked(booleans.get(word.toLowerCase()));
    default:
      throw new Errno(EINVAL);
  }
}

function checked<T>(value: T | undefined): T {
  if (value === undefined || Number.isNaN(value)) throw new Errno(EINVAL);
  return value;
}
