/**
 * A C struct, written down once: its TypeScript type, its size and both directions follow from the field list.
 *
 * Fields lie where C puts them (each at a multiple of its own size) and are little-endian, as on every machine
 * Node runs on. 64-bit fields are JavaScript numbers: exact up to 2^53 - 1. A larger value decodes to a number that
 * `Number.isSafeInteger` refuses, because rounding never brings a value of 2^53 or more below 2^53.
 */
const sizes = { u16: 2, u32: 4, i32: 4, u64: 8, i64: 8 } as const;

type FieldType = keyof typeof sizes;
export type Fields = Record<string, FieldType>;

/** A struct's bytes, seen as properties. */
export type View<F extends Fields> = { -readonly [K in keyof F]: number };

export interface Struct<F extends Fields> {
  /** sizeof, in bytes. */
  readonly size: number;
  /** A small number of its own for each struct, so that views can be kept in an array. */
  readonly id: number;
  /** The struct that starts `base` bytes into `view`. Reads and writes through. */
  at(view: DataView, base: number): View<F>;
}

const TWO_32 = 2 ** 32;

/** One getter and setter a field, on the prototype, so that V8 inlines them to a load and a store. */
function accessor(type: FieldType, offset: number): PropertyDescriptor & ThisType<DataView> {
  switch (type) {
    case 'u16':
      return {
        get() {
          return this.getUint16(offset, true);
        },
        set(value: number) {
          this.setUint16(offset, value, true);
        },
      };
    case 'u32':
      return {
        get() {
          return this.getUint32(offset, true);
        },
        set(value: number) {
          this.setUint32(offset, value, true);
        },
      };
    case 'i32':
      return {
        get() {
          return this.getInt32(offset, true);
        },
        set(value: number) {
          this.setInt32(offset, value, true);
        },
      };
    case 'u64':
      return {
        get() {
          const low = this.getUint32(offset, true);
          const high = this.getUint32(offset + 4, true);
          // Most numbers have no high half: without it V8 keeps an integer, which is faster in a Map and in arithmetic.
          return high === 0 ? low : high * TWO_32 + low;
        },
        set: set64(offset),
      };
    case 'i64':
      return {
        get() {
          return this.getInt32(offset + 4, true) * TWO_32 + this.getUint32(offset, true);
        },
        set: set64(offset),
      };
  }
}

/** setUint32 takes its value modulo 2^32, so the same two stores write signed and unsigned numbers. */
function set64(offset: number) {
  return function (this: DataView, value: number): void {
    this.setUint32(offset, value, true);
    this.setUint32(offset + 4, value >= 0 && value < TWO_32 ? 0 : Math.floor(value / TWO_32), true);
  };
}

let structs = 0;

export function struct<const F extends Fields>(fields: F): Struct<F> {
  class Layout extends DataView<ArrayBufferLike> {}
  let offset = 0;
  let alignment = 1;
  for (const [name, type] of Object.entries(fields)) {
    const size = sizes[type];
    offset = Math.ceil(offset / size) * size;
    alignment = Math.max(alignment, size);
    Object.defineProperty(Layout.prototype, name, accessor(type, offset));
    offset += size;
  }
  const size = Math.ceil(offset / alignment) * alignment;
  return {
    size,
    id: structs++,
    at: (view, base) => new Layout(view.buffer, view.byteOffset + base, size) as unknown as View<F>,
  };
}
