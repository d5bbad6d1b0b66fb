import { inspect } from 'node:util';
import type { Fields, Struct, View } from '../../src/abi/c-struct.ts';
import { Opcode } from '../../src/abi/fuse.ts';
import {
  fuseInHeader,
  fuseOpenIn,
  fuseOpenOut,
  fuseOutHeader,
  fuseReadIn,
  fuseSetattrIn,
  fuseWriteIn,
} from '../../src/abi/structs.ts';
import { type Mutation, mutate, type Seeds } from './mutate.ts';
import { addProbe } from './probe.ts';
import { complaint, show, timeless } from './protocol.ts';
import { Random } from './random.ts';
import { Scripted } from './scripted.ts';

const HEADER = fuseInHeader.size;
const REPLY = fuseOutHeader.size;

/** How many hostile requests there are between two looks whether good ones are still served. */
const BETWEEN = 100;
const FILE = 2;
const BELOW = 3;
const PROBE = 4;
/** What is read back of the file each time, in bytes. */
const SHOWN = 32 * 1024;

const ENOSPC = 28;
const SANE = 'still sane';

/** How one request is answered must not depend on what stands behind it. */
const POISONS = [0x00, 0xa5] as const;

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/**
 * Two worlds to which the same requests are sent, each with other bytes behind the request. Whatever differs in their
 * replies, now or later, came from outside of it.
 */
export class Fuzz implements Disposable {
  /** How often each opcode was served without an error, so that a run can tell what it has reached. */
  readonly served = new Map<number, number>();
  readonly #worlds: readonly [Scripted, Scripted];
  readonly #said: string[] = [];
  readonly #console = console.error;
  #unique = 2 ** 40;
  #probes: Mutation['probes'] = [{ nodeid: 0, fh: 0 }];

  static async start(): Promise<Fuzz> {
    const [poison, other] = POISONS;
    return new Fuzz([await Scripted.start(poison, addProbe), await Scripted.start(other, addProbe)]);
  }

  private constructor(worlds: readonly [Scripted, Scripted]) {
    this.#worlds = worlds;
    // Whatever is logged is an exception that nobody expected.
    console.error = (...said) => this.#said.push(said.map((one) => inspect(one)).join(' '));
    this.checkSane();
  }

  /** Sends `count` requests, made of `seeds` and the number `seed`; tells each to `about` before. Throws at the first mistake. */
  run(seeds: Seeds, seed: number, count: number, about: (request: Uint8Array) => void): void {
    const random = new Random(seed);
    for (let i = 0; i < count; i++) {
      const request = mutate({ random, seeds, probes: this.#probes });
      about(request);
      this.send(request);
      if (i % BETWEEN === BETWEEN - 1) this.checkSane();
    }
  }

  /** Sends a request. Returns its reply, if it has one. Throws when that isn't as it should be. */
  send(request: Uint8Array): Uint8Array | undefined {
    const [replies, others] = this.#worlds.map((world) => world.send(request)) as [
      Uint8Array[],
      Uint8Array[],
    ];
    const wrong = this.#said.length > 0 ? `it was logged: ${this.#said[0]}` : complaint(request, replies);
    if (wrong !== undefined) throw new FuzzError(request, wrong);
    const [reply] = replies;
    const [other] = others;
    if (reply === undefined) return undefined;
    const { opcode } = fuseInHeader.at(viewOf(request), 0);
    if (other === undefined || Buffer.compare(timeless(opcode, reply), timeless(opcode, other)) !== 0) {
      throw new FuzzError(request, 'its answer depends on what stands behind it');
    }
    if (fuseOutHeader.at(viewOf(reply), 0).error === 0) {
      this.served.set(opcode, (this.served.get(opcode) ?? 0) + 1);
    }
    return reply;
  }

  /** Good requests are served, whatever came before them. */
  checkSane(): void {
    this.#lookup(1, 'rust-proc-file');
    this.#lookup(1, 'below');
    this.#lookup(BELOW, 'probe');
    const open = (opcode: number, nodeid: number) => {
      const reply = this.#good(opcode, nodeid, fuseOpenIn, {});
      return { nodeid, fh: fuseOpenOut.at(viewOf(reply), REPLY).fh };
    };
    this.#probes = [open(Opcode.OPEN, PROBE), open(Opcode.OPENDIR, BELOW)];
    const size = SANE.length;
    const write = () => this.send(this.#request(Opcode.WRITE, FILE, fuseWriteIn, { size }, SANE));
    let written = write() ?? new Uint8Array(REPLY);
    if (fuseOutHeader.at(viewOf(written), 0).error === -ENOSPC) {
      this.#good(Opcode.SETATTR, FILE, fuseSetattrIn, { valid: 8, size: 0 });
      written = write() ?? written;
    }
    const read = this.#good(Opcode.READ, FILE, fuseReadIn, { size: SHOWN });
    if (Buffer.from(read.subarray(REPLY, REPLY + size)).toString() === SANE) return;
    throw new Error('A good write and read of the file gave back other bytes.');
  }

  #lookup(parent: number, name: string): void {
    this.#good(Opcode.LOOKUP, parent, undefined, {}, `${name}\0`);
  }

  #good<F extends Fields>(
    opcode: number,
    nodeid: number,
    struct: Struct<F> | undefined,
    fields: Partial<View<F>>,
    tail = '',
  ): Uint8Array {
    const request = this.#request(opcode, nodeid, struct, fields, tail);
    const reply = this.send(request);
    const error = reply && fuseOutHeader.at(viewOf(reply), 0).error;
    if (reply === undefined || error !== 0)
      throw new FuzzError(request, `a good request was answered ${error}`);
    return reply;
  }

  #request<F extends Fields>(
    opcode: number,
    nodeid: number,
    struct: Struct<F> | undefined,
    fields: Partial<View<F>>,
    tail: string,
  ): Uint8Array {
    const text = Buffer.from(tail);
    const start = HEADER + (struct?.size ?? 0);
    const bytes = new Uint8Array(start + text.length);
    const view = viewOf(bytes);
    this.#unique += 2;
    Object.assign(fuseInHeader.at(view, 0), { len: bytes.length, opcode, nodeid, unique: this.#unique });
    if (struct !== undefined) Object.assign(struct.at(view, HEADER), fields);
    bytes.set(text, start);
    return bytes;
  }

  [Symbol.dispose](): void {
    console.error = this.#console;
    for (const world of this.#worlds) world[Symbol.dispose]();
  }
}

/** A request that was answered as none may be. */
class FuzzError extends Error {
  constructor(request: Uint8Array, wrong: string) {
    super(`A request went wrong: ${wrong}\n${show(request)}`);
    this.name = 'FuzzError';
  }
}
