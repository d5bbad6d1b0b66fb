import { constants } from 'node:fs';
import { POLLERR, POLLIN, POLLOUT, POLLPRI, POLLRDNORM, POLLWRNORM } from '../files/poll-events.ts';
import { WaitQueue } from '../files/wait-queue.ts';
import type { Attr, AttrChange, ProcFile, ProcHandler } from '../proc-fs/handler.ts';
import type { UserSliceReader, UserSliceWriter } from '../proc-fs/user-slice.ts';
import { Whence } from '../proc-fs/whence.ts';
import { EINVAL, EIO, ENOSPC, EOPNOTSUPP, Errno } from '../sys/errno.ts';
import { FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE, FALLOC_FL_ZERO_RANGE, O_NOATIME } from '../sys/memfd.ts';
import { type Timespec, UTIME_NOW } from '../sys/time.ts';
import { chunkKey, chunkOf, fieldOf, PAGE_SIZE, PAGES_PER_CHUNK, pageOf } from './layout.ts';
import { setattr } from './lua/attributes.ts';
import { read } from './lua/read.ts';
import { fallocate, truncate } from './lua/resize.ts';
import { seek } from './lua/seek.ts';
import { copy, write } from './lua/write.ts';
import { gateKey, writePages } from './lua/write-pages.ts';
import type { Session } from './session.ts';
import { type Argument, listOf, type Reply } from './wire.ts';

/** From how many bytes of whole pages on a write goes by plain commands. */
const MANY = 8192;
const READY = POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;
const BLOCKS_PER_PAGE = PAGE_SIZE / 512;
const FIELDS = ['gen', 'size', 'pages', 'max', 'mode', 'uid', 'gid', 'atime', 'mtime', 'ctime'];

const allocations = new Set<number>([
  0,
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_ZERO_RANGE,
  FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE,
]);

/** What the file is: `Attr`, and the most pages that it may take. */
export interface SharedAttr extends Attr {
  readonly pages: number;
  readonly max: number;
}

/**
 * A file in the memory of an engine, as a handler on the event loop. What it does is done by scripts in the engine, which are its mutex:
 * here is how a call becomes one, and how its answer goes back.
 */
export class SharedHandler implements ProcHandler {
  readonly #session: Session;
  #atime: boolean;
  #killsPriv = false;
  /** Whether somebody has read it since it was last changed, as far as this machine knows. */
  #isRead = false;
  readonly #polled = new WaitQueue();
  #changes = 0;
  /** How many changes there had been when an open file was last polled. */
  readonly #seen = new WeakMap<ProcFile, number>();
  #hearing: Promise<void> | undefined;
  /** Called when another machine has changed the file, once somebody listens. */
  onChange: () => void = () => this.changed();

  /** `atime`: whether reading moves it, as with relatime. */
  constructor(session: Session, atime: boolean) {
    this.#session = session;
    this.#atime = atime;
  }

  /** Whether reading moves atime from now on. */
  set readsMoveAtime(moves: boolean) {
    this.#atime = moves;
  }

  /** Called before a write to an open file is sent, and sent again; may throw what it ends in. */
  check(_file: ProcFile): void {}

  async read(file: ProcFile, to: UserSliceWriter, offset: number): Promise<void> {
    const moves = this.#atime && (file.flags & O_NOATIME) === 0;
    if (this.#isRead && (await this.#readPlainly(to, offset, moves))) return;
    const answer = await this.#session.query(read, offset, to.length, moves ? 1 : 0);
    if (!Array.isArray(answer)) throw new Errno(EIO);
    const [count, ...pages] = answer;
    fill(to, Number(count), offset, pages);
    this.#isRead = true;
  }

  /**
   * Reads by plain commands in one transaction, which takes the engine a half to a third of what the script does. Returns whether that was
   * all: what else there is to do, and what else may be wrong, only the script knows.
   */
  async #readPlainly(to: UserSliceWriter, offset: number, moves: boolean): Promise<boolean> {
    const { key, generation } = this.#session;
    const chunks: string[][] = [];
    for (let page = pageOf(offset), last = pageOf(offset + to.length - 1); page <= last; ) {
      const command = ['HMGET', chunkKey(key, page)];
      do command.push(fieldOf(page++));
      while (page <= last && page % PAGES_PER_CHUNK !== 0);
      chunks.push(command);
    }
    const about = ['HMGET', key, 'gen', 'size', 'read'];
    const [meta, ...found] = await this.#session.commands([about, ...chunks]).catch(whenFull);
    const [gen, size, isRead] = listOf(meta).map(String);
    const isPlain = gen === generation && (!moves || isRead === '1');
    const count = Math.min(to.length, Number(size) - offset);
    this.#isRead = isPlain;
    if (!isPlain || !found.every(arePages)) return false;
    fill(to, Math.max(0, count), offset, found.length === 1 ? listOf(found[0]) : found.flat());
    return true;
  }

  async write(file: ProcFile, from: UserSliceReader, offset: number): Promise<number> {
    const kills = this.#killsPriv;
    this.#killsPriv = false;
    // The kernel's end is where this machine last saw it.
    const at = file.flags & constants.O_APPEND ? -1 : offset;
    const bytes = Buffer.from(from.bytes.buffer, from.bytes.byteOffset + from.start, from.length);
    const check = () => this.check(file);
    this.#isRead = false;
    const answer =
      (await this.#writePages(bytes, offset, at < 0, kills, check)) ??
      (await this.#session.change(write, [at, bytes, kills ? 1 : 0], check));
    const count = Number(answer);
    from.advance(count);
    return count;
  }

  /** Writes many pages by plain commands, at an offset that is to be the end or not. Returns undefined when that isn't how it can be done. */
  async #writePages(
    bytes: Buffer,
    at: number,
    atEnd: boolean,
    kills: boolean,
    check: () => void,
  ): Promise<string | undefined> {
    const head = (PAGE_SIZE - (at % PAGE_SIZE)) % PAGE_SIZE;
    const tail = (at + bytes.length) % PAGE_SIZE;
    const whole = bytes.length - head - tail;
    if (whole < MANY) return undefined;
    const { key } = this.#session;
    const ends = [bytes.subarray(0, head), bytes.subarray(head + whole)];
    const args = [at, bytes.length, kills ? 1 : 0, atEnd ? 1 : 0, ...ends];
    const pages = pagesAt(key, bytes.subarray(head, head + whole), at + head, pageOf(at));
    const answer = await this.#session.change(writePages, args, check, pages);
    return answer === 'otherwise' ? undefined : answer;
  }

  async lseek(file: ProcFile, offset: number, whence: Whence): Promise<number> {
    switch (whence) {
      case Whence.SeekSet:
        return position(offset);
      case Whence.SeekCur:
        return position(file.pos + offset);
      case Whence.SeekEnd:
        return position((await this.getattr()).size + offset);
      case Whence.SeekData:
      case Whence.SeekHole:
        return Number(await this.#session.query(seek, offset, whence === Whence.SeekData ? 'data' : 'hole'));
    }
  }

  async truncate(size: number): Promise<void> {
    await this.#session.change(truncate, [size]);
  }

  async fallocate(_file: ProcFile, mode: number, offset: number, length: number): Promise<void> {
    if (length === 0) throw new Errno(EINVAL);
    if (!allocations.has(mode)) throw new Errno(EOPNOTSUPP);
    await this.#session.change(fallocate, [mode, offset, length]);
  }

  /** Each change is in the engine's memory when it is answered, and how safe that is, is the engine's business. */
  async fsync(): Promise<void> {
    await this.getattr();
  }

  async copyFileRange(from: number, to: number, length: number): Promise<number> {
    return Number(await this.#session.change(copy, [from, to, length]));
  }

  async getattr(): Promise<SharedAttr> {
    const answer = await this.#session.command('HMGET', ...FIELDS);
    if (!Array.isArray(answer)) throw new Errno(EIO);
    const [gen, size, pages, max, mode, uid, gid, atime, mtime, ctime] = answer.map((one) =>
      String(one ?? ''),
    );
    if (gen !== this.#session.generation) {
      // Has it looked after; there is something else then, or nothing.
      await this.#session.query(seek, 0, 'data');
      throw new Errno(EIO);
    }
    return {
      size: Number(size),
      pages: Number(pages),
      max: Number(max),
      blocks: Number(pages) * BLOCKS_PER_PAGE,
      blksize: PAGE_SIZE,
      mode: Number(mode),
      uid: Number(uid),
      gid: Number(gid),
      atime: time(atime),
      mtime: time(mtime),
      ctime: time(ctime),
    };
  }

  /** `max`: the most pages that the file may take, for all who have it mounted. EINVAL when it takes more. */
  async setattr({ mode, uid, gid, atime, mtime, max }: AttrChange & { max?: number }): Promise<void> {
    const owner = [mode ?? '', uid ?? '', gid ?? ''];
    await this.#session.change(setattr, [...owner, timeText(atime), timeText(mtime), max ?? '']);
  }

  /**
   * Always ready, as a regular file; POLLPRI and POLLERR once it was changed by another machine since the open file was last polled, as
   * files of sysfs are. Source: kernfs_generic_poll, fs/kernfs/file.c.
   */
  async poll(file: ProcFile, wake: () => void): Promise<number> {
    await this.listen();
    this.#polled.pollWait(file, wake);
    const seen = this.#seen.get(file);
    this.#seen.set(file, this.#changes);
    return READY | (seen === undefined || seen === this.#changes ? 0 : POLLPRI | POLLERR);
  }

  /** Another machine has changed the file. */
  changed(): void {
    this.#changes++;
    this.#polled.wake();
  }

  /** Has the engine tell of other machines' changes from now on, by `onChange`. */
  listen(): Promise<void> {
    this.#hearing ??= this.#session.listen('changed', (by) => {
      if (by !== this.#session.id) this.onChange();
    });
    return this.#hearing;
  }

  /** With the write that comes next, in one step. */
  killPriv(): void {
    this.#killsPriv = true;
  }
}

/** An engine without memory takes no command into a transaction, not even one that only reads; a script that takes none it runs. */
function whenFull(error: unknown): readonly Reply[] {
  if (error instanceof Errno && error.errno === ENOSPC) return [];
  throw error;
}

/** Puts `count` bytes of the file from `offset` on into a window, out of the pages that they are in; one that is nothing is a hole. */
function fill(to: UserSliceWriter, count: number, offset: number, pages: readonly unknown[]): void {
  let done = 0;
  for (const page of pages) {
    const from = (offset + done) % PAGE_SIZE;
    const length = Math.min(PAGE_SIZE - from, count - done);
    if (!(page instanceof Buffer) || page.length === 0)
      to.bytes.fill(0, to.start + done, to.start + done + length);
    else if (length === PAGE_SIZE) to.bytes.set(page, to.start + done);
    else page.copy(to.bytes, to.start + done, from, from + length);
    done += length;
    if (done === count) break;
  }
  // The engine's answer ends where its last page does.
  to.bytes.fill(0, to.start + done, to.start + count);
  to.advance(count);
}

/** Whether a MiB is there, and has pages of ours. */
function arePages(chunk: Reply): boolean {
  let isThere = false;
  for (const page of listOf(chunk)) {
    if (page === null) continue;
    if (!(page instanceof Buffer) || (page.length !== PAGE_SIZE && page.length !== 0)) return false;
    isThere = true;
  }
  return isThere;
}

/** The commands that put whole pages where they lie while the file is written from a page on: see write-pages.ts. */
function pagesAt(key: string, bytes: Buffer, at: number, first: number): Argument[][] {
  const commands: Argument[][] = [];
  for (let done = 0; done < bytes.length; ) {
    const command: Argument[] = ['HSET', gateKey(key, chunkOf(pageOf(at + done)) - chunkOf(first))];
    do {
      command.push(fieldOf(pageOf(at + done)), bytes.subarray(done, done + PAGE_SIZE));
      done += PAGE_SIZE;
    } while (done < bytes.length && pageOf(at + done) % PAGES_PER_CHUNK !== 0);
    commands.push(command);
  }
  return commands;
}

/** A file position. Throws EINVAL when it lies before the start or past 2^53 - 1. */
function position(offset: number): number {
  if (offset < 0 || !Number.isSafeInteger(offset)) throw new Errno(EINVAL);
  return offset;
}

function time(text = ''): Timespec {
  const [sec, nsec] = text.split(' ').map(Number);
  return { sec: sec ?? 0, nsec: nsec ?? 0 };
}

function timeText(time: Timespec | undefined): string {
  if (time === undefined) return '';
  return time.nsec === UTIME_NOW ? 'now' : `${time.sec} ${time.nsec}`;
}
