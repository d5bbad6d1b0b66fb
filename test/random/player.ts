import { constants } from 'node:fs';
import type { Timespec } from '../../src/sys/time.ts';
import { must } from '../support/answer.ts';
import { pattern } from '../support/bytes.ts';
import {
  type Calls,
  MAP_PRIVATE,
  MAP_SHARED,
  PROT_READ,
  PROT_WRITE,
  SEEK_DATA,
  SEEK_HOLE,
  type Stat,
} from '../support/calls/index.ts';
import { type Tracked, tracked } from '../support/tracked.ts';
import { type At, type OpenMode, type Slot, type Step, type Time, times } from './step.ts';

const PAGE = 4096;

/** A descriptor that nobody has open: EBADF. */
const CLOSED = 999_999;

/** What a step answers that a mapping makes impossible: it would be SIGBUS, and the end of the test. */
const IMPOSSIBLE = 'not possible';

interface Mapping {
  readonly address: number;
  /** From where in the file. */
  readonly offset: number;
  readonly length: number;
  readonly writable: boolean;
}

/** Plays steps on one file, from no descriptor open. Disposing it closes and unmaps everything. */
export class Player implements Disposable {
  readonly path: string;
  readonly #mine: Tracked;
  readonly #sys: Calls;
  readonly #fds: Record<Slot, number> = { 0: CLOSED, 1: CLOSED };
  readonly #mappings = new Map<Slot, Mapping>();

  constructor(path: string, mine: Tracked = tracked()) {
    this.path = path;
    this.#mine = mine;
    this.#sys = mine.calls;
  }

  [Symbol.dispose](): void {
    this.#mine.release();
  }

  /** What the call answers. */
  play(step: Step): unknown {
    const sys = this.#sys;
    const fd = 'slot' in step ? this.#fds[step.slot] : CLOSED;
    switch (step.call) {
      case 'open':
        return this.#open(step.slot, step.mode);
      case 'close':
        this.#fds[step.slot] = CLOSED;
        return sys.close(fd);
      case 'fsync':
        return sys.fsync(fd);
      case 'fstat': {
        const stat = sys.fstat(fd);
        return typeof stat === 'string' ? stat : inWords(stat);
      }
      case 'futimens':
        return sys.futimens(fd, timespec(step.atime), timespec(step.mtime));
      case 'read':
        return sys.read(fd, step.length);
      case 'pread':
        return sys.pread(fd, step.length, this.#offset(step.at));
      case 'readv':
        return sys.readv(fd, step.lengths);
      case 'write':
        return sys.write(fd, pattern(0, step.length, step.seed));
      case 'pwrite':
        return sys.pwrite(fd, pattern(0, step.length, step.seed), this.#offset(step.at));
      case 'writev':
        return sys.writev(
          fd,
          step.lengths.map((length, i) => pattern(i, length, step.seed)),
        );
      case 'ftruncate':
        return sys.ftruncate(fd, this.#offset(step.at));
      case 'truncate':
        return sys.truncate(this.path, this.#offset(step.at));
      case 'lseek':
        return sys.lseek(fd, step.offset, step.whence);
      case 'fallocate':
        return sys.fallocate(fd, step.mode, this.#offset(step.at), step.length);
      case 'copyFileRange':
        return sys.copyFileRange(fd, this.#offset(step.from), fd, this.#offset(step.to), step.length);
      case 'mmap':
        return this.#map(step.slot, step.page * PAGE, step.pages * PAGE, step.shared);
      case 'load':
        return this.#load(step.slot, step.skip, step.length);
      case 'store':
        return this.#store(step.slot, step.skip, pattern(0, step.length, step.seed));
      case 'mmapWrite':
        return this.#mmapWrite(fd, this.#offset(step.at), pattern(0, step.length, step.seed));
    }
  }

  /** Hands on what mappings that are still there have stored: the file has it then. */
  sync(): void {
    for (const { address, length } of this.#mappings.values()) this.#sys.msync(address, length);
  }

  #open(slot: Slot, mode: OpenMode): unknown {
    if (this.#fds[slot] !== CLOSED) this.#sys.close(this.#fds[slot]);
    const flags = mode.split('|').reduce((all, name) => all | constants[name as 'O_RDWR'], 0);
    const fd = this.#sys.open(this.path, flags);
    this.#fds[slot] = typeof fd === 'number' ? fd : CLOSED;
    return typeof fd === 'number' ? 'open' : fd;
  }

  #size(): number {
    return must(this.#sys.stat(this.path)).size;
  }

  #offset(at: At): number {
    return typeof at === 'number' ? at : Math.max(0, this.#size() + at.end);
  }

  #map(slot: Slot, offset: number, length: number, shared: boolean): unknown {
    const before = this.#mappings.get(slot);
    if (before !== undefined) this.#sys.munmap(before.address, before.length);
    this.#mappings.delete(slot);
    const fd = this.#fds[slot];
    const flags = shared ? MAP_SHARED : MAP_PRIVATE;
    const writable = this.#sys.mmap(fd, offset, length, PROT_READ | PROT_WRITE, flags);
    const address = writable === 'EACCES' ? this.#sys.mmap(fd, offset, length, PROT_READ, flags) : writable;
    if (typeof address === 'string') return address;
    this.#mappings.set(slot, { address, offset, length, writable: writable === address && shared });
    return writable === address ? 'writable' : 'readable';
  }

  #load(slot: Slot, skip: number, length: number): unknown {
    const range = this.#range(slot, skip, length);
    return range === undefined ? IMPOSSIBLE : this.#sys.load(range.address, range.length);
  }

  #store(slot: Slot, skip: number, bytes: Buffer): unknown {
    const range = this.#range(slot, skip, bytes.length);
    if (range === undefined || !this.#mappings.get(slot)?.writable) return IMPOSSIBLE;
    return this.#sys.store(range.address, bytes.subarray(0, range.length));
  }

  /**
   * The part of a mapping that can be touched: it lies within the file, and in no hole. To touch a hole makes tmpfs fill
   * it at once, and the kernel's page cache in front of a FUSE file only when it is written back: both are right.
   */
  #range(slot: Slot, skip: number, length: number): { address: number; length: number } | undefined {
    const mapping = this.#mappings.get(slot);
    if (mapping === undefined) return undefined;
    const end = mapping.offset + mapping.length;
    const wanted = mapping.offset + (skip % mapping.length);
    const data = this.#data(wanted, end) ?? this.#data(mapping.offset, end);
    if (data === undefined) return undefined;
    const there = Math.min(length, data.end - data.start);
    return there > 0 ? { address: mapping.address + data.start - mapping.offset, length: there } : undefined;
  }

  /** The first data from an offset on, up to `limit`. */
  #data(offset: number, limit: number): { start: number; end: number } | undefined {
    const fd = must(this.#sys.open(this.path, constants.O_RDONLY));
    try {
      const start = this.#sys.lseek(fd, offset, SEEK_DATA);
      if (typeof start !== 'number' || start >= limit) return undefined;
      return { start, end: Math.min(limit, must(this.#sys.lseek(fd, start, SEEK_HOLE))) };
    } finally {
      this.#sys.close(fd);
    }
  }

  /** Also into holes, as long as there is memory for them. */
  #mmapWrite(fd: number, at: number, bytes: Buffer): unknown {
    const size = this.#size();
    if (size === 0) return IMPOSSIBLE;
    const offset = at % size;
    const count = Math.min(bytes.length, size - offset);
    const start = offset - (offset % PAGE);
    const length = offset + count - start;
    const { bfree } = must(this.#sys.statfs(this.path));
    if (count === 0 || bfree < Math.ceil(length / PAGE)) return IMPOSSIBLE;
    const address = this.#sys.mmap(fd, start, length, PROT_READ | PROT_WRITE, MAP_SHARED);
    if (typeof address === 'string') return address;
    this.#sys.store(address + (offset - start), bytes.subarray(0, count));
    const synced = this.#sys.msync(address, length);
    this.#sys.munmap(address, length);
    return synced;
  }
}

function timespec(time: Time): Timespec {
  return { sec: times[time], nsec: 0 };
}

/** What a file is, with its times in words: the present is another one for each file. */
function inWords({ size, blocks, atime, mtime }: Stat) {
  const word = (ns: bigint) =>
    Object.entries(times).find(([, sec]) => ns === BigInt(sec) * 1_000_000_000n)?.[0] ?? 'now';
  return { size, blocks, atime: word(atime), mtime: word(mtime) };
}
