import { Opcode } from '../../src/abi/fuse.ts';
import { fuseInHeader } from '../../src/abi/structs.ts';
import { MAX_WRITE, PAGE_SIZE } from '../../src/transport/kernel/wire/init.ts';
import type { Random } from './random.ts';
import { MAX_SIZE } from './world.ts';

const HEADER = fuseInHeader.size;

/** Where fields of the header stand, in bytes. */
const At = { LEN: 0, OPCODE: 4, UNIQUE: 8, NODEID: 16, FH: HEADER } as const;

/** Numbers at which something ends: types, pages, the file, exactness. */
const edges: readonly [bigint, ...bigint[]] = [
  0n,
  1n,
  2n,
  4095n,
  4096n,
  4097n,
  65_536n,
  BigInt(MAX_SIZE - 1),
  BigInt(MAX_SIZE),
  BigInt(MAX_SIZE + 1),
  1n << 20n,
  1n << 22n,
  (1n << 31n) - 1n,
  1n << 31n,
  (1n << 32n) - 1n,
  1n << 32n,
  (1n << 53n) - 1n,
  1n << 53n,
  (1n << 63n) - 1n,
  1n << 63n,
  (1n << 64n) - 1n,
];

const opcodes = Object.values(Opcode) as [number, ...number[]];

const named: readonly [number, ...number[]] = [
  Opcode.LOOKUP,
  Opcode.RENAME,
  Opcode.RENAME2,
  Opcode.CREATE,
  Opcode.MKDIR,
  Opcode.MKNOD,
  Opcode.SYMLINK,
  Opcode.LINK,
  Opcode.UNLINK,
  Opcode.RMDIR,
];

const names: readonly [string, ...string[]] = [
  'rust-proc-file',
  'below',
  'probe',
  '',
  '.',
  '..',
  '/',
  '__proto__',
  'constructor',
  'a'.repeat(255),
  'a'.repeat(256),
  '\ufeffrust-proc-file',
];

/** Real requests, those of one opcode together, so that a rare kind is taken as often as any. */
export type Seeds = NonEmpty<NonEmpty<Uint8Array>>;
type NonEmpty<T> = readonly [T, ...T[]];

export function seedsOf(requests: readonly Uint8Array[]): Seeds {
  const kinds = new Map<number, [Uint8Array, ...Uint8Array[]]>();
  for (const request of requests) {
    const { opcode } = fuseInHeader.at(viewOf(request), 0);
    const kind = kinds.get(opcode);
    if (kind === undefined) kinds.set(opcode, [request]);
    else kind.push(request);
  }
  const [first, ...others] = kinds.values();
  if (first === undefined) throw new RangeError('There are no requests to make others of.');
  return [first, ...others];
}

/** What a hostile request is made of. */
export interface Probe {
  readonly nodeid: number;
  readonly fh: number;
}

export interface Mutation {
  readonly random: Random;
  readonly seeds: Seeds;
  /** A file and a directory of the session's that are open. */
  readonly probes: readonly [Probe, ...Probe[]];
}

type Mutate = (m: Mutation) => Uint8Array;

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function seed({ random, seeds }: Mutation): Uint8Array {
  return random.pick(random.pick(seeds)).slice();
}

function header(m: Mutation): Uint8Array {
  return seed(m).subarray(0, HEADER);
}

/** Has the header say how long the request is. */
function honest(request: Uint8Array): Uint8Array {
  if (request.length >= 4) viewOf(request).setUint32(At.LEN, request.length, true);
  return request;
}

/** Puts a number of 4 or 8 bytes somewhere from `first` on, where a field may be. */
function putNumber({ random }: Mutation, request: Uint8Array, first: number): void {
  const places = (request.length - first) >> 2;
  if (places < 2) return;
  const at = first + 4 * random.below(places - 1);
  const value = random.oneIn(4) ? BigInt(random.below(2 ** 32)) : random.pick(edges);
  if (random.oneIn(2)) viewOf(request).setBigUint64(at, value, true);
  else viewOf(request).setUint32(at, Number(value & 0xffffffffn), true);
}

const mutations: [Mutate, ...Mutate[]] = [
  /** Other numbers in the body: huge offsets, sizes of what follows that aren't true. */
  (m) => {
    const request = seed(m);
    for (let i = 0; i <= m.random.below(3); i++) putNumber(m, request, HEADER);
    return request;
  },
  /** The same in the header: a length, an operation, an inode, a number that can't be. */
  (m) => {
    const request = seed(m);
    putNumber(m, request, 0);
    return request;
  },
  /** Bits the other way round. */
  (m) => {
    const request = seed(m);
    for (let i = 0; i <= m.random.below(8); i++) {
      const at = m.random.below(request.length);
      request[at] = (request[at] ?? 0) ^ (1 << m.random.below(8));
    }
    return request;
  },
  /** Cut off, with a length that tells or one that doesn't. */
  (m) => {
    const request = seed(m);
    const cut = request.slice(0, m.random.below(request.length));
    return m.random.oneIn(2) ? cut : honest(cut);
  },
  /** Longer than it should be. */
  (m) => {
    const request = Buffer.concat([seed(m), m.random.bytes(m.random.below(64))]);
    return m.random.oneIn(3) ? request : honest(request);
  },
  /** The body of one operation for another. */
  (m) => {
    const request = seed(m);
    const opcode = m.random.oneIn(8) ? m.random.below(2 ** 32) : m.random.pick(opcodes);
    viewOf(request).setUint32(At.OPCODE, opcode, true);
    return request;
  },
  /** Two at once. */
  (m) => {
    const both = Buffer.concat([seed(m), seed(m)]);
    return m.random.oneIn(2) ? both : honest(both);
  },
  /** Names: none, endless, too many, not UTF-8. */
  (m) => {
    const { random } = m;
    const parts: Uint8Array[] = [header(m)];
    if (random.oneIn(2)) parts.push(new Uint8Array(random.pick([8, 16])).fill(random.below(3)));
    for (let i = 0; i < random.below(4); i++) {
      parts.push(random.oneIn(4) ? random.bytes(random.below(40)) : Buffer.from(random.pick(names)));
      if (!random.oneIn(4)) parts.push(new Uint8Array(1 + random.below(2)));
    }
    const request = honest(Buffer.concat(parts));
    viewOf(request).setUint32(At.OPCODE, random.pick(named), true);
    return request;
  },
  /** Noise, as it is or behind a header that could be right. */
  (m) => {
    const noise = m.random.bytes(m.random.below(200));
    if (m.random.oneIn(2)) return noise;
    const request = honest(Buffer.concat([header(m), noise]));
    viewOf(request).setUint32(At.OPCODE, m.random.pick(opcodes), true);
    return request;
  },
];

/** As long as a request may be, which takes a while: once in a few thousand. */
function long(m: Mutation): Uint8Array {
  const { random } = m;
  const request = Buffer.alloc(
    HEADER + random.below(MAX_WRITE + PAGE_SIZE - HEADER),
    random.pick(['\0', 'a', '\xff']),
  );
  request.set(header(m));
  viewOf(request).setUint32(At.OPCODE, random.pick(opcodes), true);
  // What most operations have a size in: fuse_write_in, fuse_read_in.
  if (random.oneIn(2)) viewOf(request).setUint32(HEADER + 16, request.length - HEADER - 40, true);
  return honest(request);
}

/** A request that no kernel would send, or that one would by chance. */
export function mutate(m: Mutation): Uint8Array {
  const { random } = m;
  const request = random.oneIn(4000) ? long(m) : random.pick(mutations)(m);
  if (request.length >= HEADER + 8) {
    const view = viewOf(request);
    if (random.oneIn(4)) view.setBigUint64(At.NODEID, BigInt(1 + random.below(5)), true);
    // The file that takes every call, or its directory, open: what gets through reaches a handler.
    if (random.oneIn(4)) {
      const { nodeid, fh } = random.pick(m.probes);
      view.setBigUint64(At.NODEID, BigInt(nodeid), true);
      view.setBigUint64(At.FH, BigInt(fh), true);
    }
  }
  return request;
}
