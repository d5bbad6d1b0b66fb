import { describe, expect, test } from 'vitest';
import type { Fields, Struct } from '../../../src/abi/c-struct.ts';
import * as structs from '../../../src/abi/structs.ts';
import { runC } from './run-c.ts';

/** A struct of ours, as linux/fuse.h calls it. */
interface Counterpart {
  readonly c: string;
  /** C's path of a field that has another one than ours. */
  readonly path: (field: string) => string;
  /** Fields that came after 7.38, the version of the header that Debian 12 has. */
  readonly newer?: readonly string[];
  /** Our struct ends before the kernel's: the rest is of no use here. */
  readonly shorter?: true;
}

/** An attr that stands in another struct is a struct of its own in C. */
const inAttr = (field: string) => (field in attrFields ? `attr.${field}` : field);
const attrFields = fieldsOf(structs.fuseAttr);

/** A fuse_file_lock likewise. */
const inLock = (field: string) => (['start', 'end', 'type', 'pid'].includes(field) ? `lk.${field}` : field);

const special: Partial<Record<keyof typeof structs, Partial<Counterpart>>> = {
  fuseEntryOut: { path: inAttr },
  fuseAttrOut: { path: inAttr },
  // Taken out of `unused` since; that what follows stands where it did shows that they are as long.
  fuseInitOut: {
    path: (field) => field.replace(/^unused(\d)$/, (_, i) => `unused[${Number(i) + 1}]`),
    newer: ['max_stack_depth', 'request_timeout', 'unused0'],
  },
  fuseInitIn: { shorter: true },
  fuseOpenOut: { newer: ['backing_id'] },
  fuseLkIn: { path: inLock },
  fuseLkOut: { path: inLock },
  fuseStatfsOut: { path: (field) => `st.${field.replace(/^spare(\d)$/, (_, i) => `spare[${i * 2}]`)}` },
};

/** Field names with the offset of each, found by what a store into it changes. */
function fieldsOf<F extends Fields>(layout: Struct<F>): Record<string, { offset: number; size: number }> {
  const bytes = new Uint8Array(layout.size);
  const seen = layout.at(new DataView(bytes.buffer), 0);
  const fields: Record<string, { offset: number; size: number }> = {};
  for (const name of Object.getOwnPropertyNames(Object.getPrototypeOf(seen)) as (keyof F)[]) {
    if (name === 'constructor') continue;
    bytes.fill(0);
    // All bits of the low 32 and the lowest of the high 32; what doesn't fit a smaller field falls off.
    seen[name] = 2 ** 32 + 2 ** 32 - 1;
    const offset = bytes.findIndex((byte) => byte !== 0);
    const ones = bytes.filter((byte) => byte === 0xff).length;
    fields[String(name)] = { offset, size: bytes[offset + 4] === 1 ? 8 : ones };
  }
  return fields;
}

const toC = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

function counterpart(name: keyof typeof structs): Counterpart {
  return { c: toC(name), path: (field) => field, ...special[name] };
}

const all = Object.entries(structs) as unknown as [keyof typeof structs, Struct<Fields>][];
/** fuse_backing_map came with 7.40: the test of passthrough I/O shows that it is right. */
const layouts = all.filter(([name]) => name !== 'fuseBackingMap');

/** What C says: one line `struct field offset size` a field, and `struct - 0 size` for the whole. */
function compile(): Map<string, { offset: number; size: number }> {
  const lines = layouts.flatMap(([name, layout]) => {
    const { c, path, newer = [] } = counterpart(name);
    const fields = Object.keys(fieldsOf(layout)).filter((f) => !newer.includes(f));
    return [
      `printf("${name} - 0 %zu\\n", sizeof(struct ${c}));`,
      ...fields.map((field) => {
        const at = path(field);
        return `printf("${name} ${field} %zu %zu\\n", offsetof(struct ${c}, ${at}), sizeof(((struct ${c} *)0)->${at}));`;
      }),
    ];
  });
  return new Map(
    runC(lines).map((line) => {
      const [struct, field, offset, size] = line.split(' ');
      return [`${struct} ${field}`, { offset: Number(offset), size: Number(size) }];
    }),
  );
}

describe("our structs are the kernel's, as gcc sees them in linux/fuse.h", () => {
  const c = compile();

  test.each(layouts)('%s', (name, layout) => {
    const { newer = [], shorter } = counterpart(name);
    const ours = fieldsOf(layout);
    const whole = c.get(`${name} -`)?.size ?? 0;
    if (shorter) expect(layout.size).toBeLessThan(whole);
    else expect(layout.size).toBe(whole);
    for (const [field, place] of Object.entries(ours)) {
      if (newer.includes(field)) continue;
      const theirs = c.get(`${name} ${field}`);
      // fuse_statfs_out's spare words are 32 bits wide; two of them are one of ours.
      const size = field.startsWith('spare') ? 4 : place.size;
      expect({ field, offset: place.offset, size }).toEqual({ field, ...theirs });
      expect(place.size % size).toBe(0);
    }
  });
});
