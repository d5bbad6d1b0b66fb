import { constants } from 'node:fs';
import { FUSE_GETATTR_FH, FUSE_POLL_SCHEDULE_NOTIFY, FUSE_READ_LOCKOWNER, Opcode } from '../abi/fuse.ts';
import {
  fuseAttrOut,
  fuseGetattrIn,
  fuseIoctlIn,
  fuseIoctlOut,
  fuseLseekIn,
  fuseLseekOut,
  fusePollIn,
  fusePollOut,
  fuseReadIn,
  fuseReleaseIn,
  fuseWriteIn,
  fuseWriteOut,
} from '../abi/structs.ts';
import { bytesOf, type Text } from '../files/buffers.ts';
import { _IOC_DIR, _IOC_READ, _IOC_SIZE, _IOC_WRITE } from '../files/ioctl-number.ts';
import { POLLERR, POLLHUP } from '../files/poll-events.ts';
import { Whence } from '../proc-fs/whence.ts';
import { EBADF, EFAULT, EINTR, EINVAL, Errno, ESPIPE } from '../sys/errno.ts';
import { MAX_WRITE } from '../transport/kernel/wire/init.ts';
import type { Connection } from './connection.ts';

const { O_APPEND, O_RDONLY, O_WRONLY } = constants;
const O_ACCMODE = 3;

/** What read(2) is asked for when nobody says: as cat(1) does. */
const USUAL = 128 * 1024;

interface Opened {
  readonly nodeid: number;
  /** The file's number in its calls. */
  readonly fh: number;
  readonly flags: number;
  /** Whether its handler has `lseek`. */
  readonly isSeekable: boolean;
}

/**
 * A file of a tree, as a client has it open: see `openEntry`. Each of its calls rejects with an Errno where the system call fails.
 *
 * @example
 * ```ts
 * await using file: TestFile = await openEntry(root, 'level');
 * await file.write('5\n');
 * await file.lseek(0);
 * assert.equal(await file.text(), '5\n');
 * ```
 */
export class TestFile implements AsyncDisposable {
  /** The flags of the open file, as fcntl(2) may change them: `file.flags |= fs.constants.O_NONBLOCK`. */
  flags: number;
  readonly #connection: Connection;
  readonly #nodeid: number;
  readonly #fh: number;
  readonly #isSeekable: boolean;
  #pos = 0;
  #isClosed = false;
  /** The call that has the position for itself. Source: f_pos_lock, fdget_pos. */
  #turn: Promise<unknown> | undefined;
  #interrupted = () => {};

  /** @internal */
  constructor(connection: Connection, { nodeid, fh, flags, isSeekable }: Opened) {
    this.#connection = connection;
    this.#nodeid = nodeid;
    this.#fh = fh;
    this.flags = flags;
    this.#isSeekable = isSeekable;
  }

  /**
   * Reads at the position, and moves it. Source: read(2).
   *
   * @param length How many bytes at most. Default: 131,072, as cat(1) asks for.
   */
  read(length = USUAL): Promise<Uint8Array> {
    return this.#inTurn(async () => {
      const bytes = await this.#readAt(this.#pos, length);
      this.#pos += bytes.length;
      return bytes;
    });
  }

  /** Reads at an offset, in bytes, and leaves the position where it is. Source: pread(2). */
  async readAt(offset: number, length = USUAL): Promise<Uint8Array> {
    this.#checkOffset(offset);
    return this.#readAt(offset, length);
  }

  /** All from the position to the end, as text in UTF-8, read as cat(1) does. */
  async text(): Promise<string> {
    const parts: Uint8Array[] = [];
    for (;;) {
      const part = await this.read();
      if (part.length === 0) return Buffer.concat(parts).toString();
      parts.push(part);
    }
  }

  /** Writes at the position, and moves it; with O_APPEND at the end. Resolves with how many bytes were taken. Source: write(2). */
  write(data: Text): Promise<number> {
    return this.#inTurn(async () => {
      const start = this.#appends ? await this.#size() : this.#pos;
      const count = await this.#writeAt(start, bytesOf(data));
      this.#pos = start + count;
      return count;
    });
  }

  /** Writes at an offset, in bytes, and leaves the position where it is; with O_APPEND at the end. Source: pwrite(2). */
  async writeAt(offset: number, data: Text): Promise<number> {
    this.#checkOffset(offset);
    return this.#writeAt(this.#appends ? await this.#size() : offset, bytesOf(data));
  }

  /**
   * Moves the position, and resolves with it. Source: lseek(2). As from a mount, the handler is never asked for SeekSet and SeekCur.
   *
   * @param offset Bytes.
   * @param whence A Whence, or its number. Default: SeekSet.
   */
  lseek(offset: number, whence: number = Whence.SeekSet): Promise<number> {
    return this.#inTurn(async () => {
      this.#checkOpen();
      const way = Whence.fromRaw(whence);
      if (!this.#isSeekable) throw new Errno(ESPIPE);
      const position = await this.#position(offset, way);
      if (!(Number.isSafeInteger(position) && position >= 0)) throw new Errno(EINVAL);
      this.#pos = position;
      return position;
    });
  }

  /**
   * Resolves with what ioctl(2) returns.
   *
   * @param command As `_IO` and its kin make it.
   * @param data What the call passes, and where to what it gets is copied. EFAULT when it is shorter than the command says.
   */
  async ioctl(command: number, data: Uint8Array = new Uint8Array(_IOC_SIZE(command))): Promise<number> {
    this.#checkOpen();
    const size = _IOC_SIZE(command);
    const direction = _IOC_DIR(command);
    const inSize = direction & _IOC_WRITE ? size : 0;
    const outSize = direction & _IOC_READ ? size : 0;
    if (data.length < Math.max(inSize, outSize)) throw new Errno(EFAULT);
    const fields = { fh: this.#fh, cmd: command, in_size: inSize, out_size: outSize };
    const reply = await this.#connection.request(
      Opcode.IOCTL,
      this.#nodeid,
      fuseIoctlIn,
      fields,
      data.subarray(0, inSize),
    );
    data.set(reply.bytes.subarray(fuseIoctlOut.size));
    return reply.as(fuseIoctlOut).result;
  }

  /**
   * Waits until one of some events is there. Resolves with those that are, and 0 when it took too long. Source: poll(2).
   *
   * @param events As POLLIN and its kin are; POLLERR and POLLHUP are told without being asked for.
   * @param timeout In milliseconds; 0 doesn't wait. Default: for ever.
   */
  async poll(events: number, timeout?: number): Promise<number> {
    this.#checkOpen();
    let timer: NodeJS.Timeout | undefined;
    const end = new Promise<false>((late) => {
      if (timeout !== undefined) timer = setTimeout(late, timeout, false);
    });
    try {
      return await this.#poll(events, timeout, end);
    } finally {
      clearTimeout(timer);
    }
  }

  async #poll(events: number, timeout: number | undefined, end: Promise<false>): Promise<number> {
    for (;;) {
      const woken = new Promise<true>((wake, interrupted) => {
        this.#connection.woken = () => wake(true);
        this.#interrupted = () => interrupted(new Errno(EINTR));
      });
      woken.catch(() => {});
      const there = (await this.#events(events)) & (events | POLLERR | POLLHUP);
      if (there !== 0 || timeout === 0 || !(await Promise.race([woken, end]))) return there;
    }
  }

  /** A signal comes: who waits in a call gets EINTR, and the handler's caller has its signal aborted. Source: signal(7). */
  interrupt(): void {
    this.#connection.interrupt();
    this.#interrupted();
  }

  /** Closes the file, as the client's end does: a call that still waits is interrupted before. A second time is no error. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.interrupt();
    const fields = { fh: this.#fh, flags: this.flags };
    // Nobody is told of its error: fuse_release, fs/fuse/file.c.
    await this.#connection.request(Opcode.RELEASE, this.#nodeid, fuseReleaseIn, fields).catch(() => {});
    this.#connection.close();
  }

  /** Closes it. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** At once, where nobody else is at it. */
  async #inTurn<T>(call: () => Promise<T>): Promise<T> {
    while (this.#turn !== undefined) await this.#turn;
    const turn = call();
    this.#turn = turn
      .catch(() => {})
      .then(() => {
        this.#turn = undefined;
      });
    return turn;
  }

  #checkOpen(): void {
    if (this.#isClosed) throw new Errno(EBADF);
  }

  #checkOffset(offset: number): void {
    if (!(Number.isSafeInteger(offset) && offset >= 0)) throw new Errno(EINVAL);
    this.#checkOpen();
    if (!this.#isSeekable) throw new Errno(ESPIPE);
  }

  /** In pieces of what one request has room for, up to the first that is short. Source: fuse_direct_io, fs/fuse/file.c. */
  async #readAt(offset: number, length: number): Promise<Uint8Array> {
    this.#checkOpen();
    if ((this.flags & O_ACCMODE) === O_WRONLY) throw new Errno(EBADF);
    const bytes = new Uint8Array(length);
    const count = await inPieces(length, async (done, size) => {
      const fields = { offset: offset + done, size, read_flags: FUSE_READ_LOCKOWNER, ...this.#common() };
      const reply = await this.#connection.request(Opcode.READ, this.#nodeid, fuseReadIn, fields);
      bytes.set(reply.bytes, done);
      return reply.bytes.length;
    });
    return bytes.subarray(0, count);
  }

  async #writeAt(offset: number, bytes: Uint8Array): Promise<number> {
    this.#checkOpen();
    if ((this.flags & O_ACCMODE) === O_RDONLY) throw new Errno(EBADF);
    return inPieces(bytes.length, async (done, size) => {
      const fields = { offset: offset + done, size, ...this.#common() };
      const piece = bytes.subarray(done, done + size);
      const reply = await this.#connection.request(Opcode.WRITE, this.#nodeid, fuseWriteIn, fields, piece);
      return reply.as(fuseWriteOut).size;
    });
  }

  get #appends(): boolean {
    return (this.flags & O_APPEND) !== 0;
  }

  #common(): { fh: number; flags: number } {
    return { fh: this.#fh, flags: this.flags };
  }

  async #position(offset: number, way: Whence): Promise<number> {
    switch (way) {
      case Whence.SeekSet:
        return offset;
      case Whence.SeekCur:
        return this.#pos + offset;
      case Whence.SeekEnd:
        return (await this.#size(FUSE_GETATTR_FH)) + offset;
      default: {
        const fields = { fh: this.#fh, offset, whence: way };
        const reply = await this.#connection.request(Opcode.LSEEK, this.#nodeid, fuseLseekIn, fields);
        return reply.as(fuseLseekOut).offset;
      }
    }
  }

  /** With FUSE_GETATTR_FH as lseek(2) asks for it, and without as stat(2). */
  async #size(getattr_flags = 0): Promise<number> {
    const fields = { getattr_flags, fh: this.#fh };
    const reply = await this.#connection.request(Opcode.GETATTR, this.#nodeid, fuseGetattrIn, fields);
    return reply.as(fuseAttrOut).size;
  }

  /** What the handler says is there. An error of it is an event: fuse_file_poll, fs/fuse/file.c. */
  async #events(events: number): Promise<number> {
    const fields = { fh: this.#fh, kh: this.#fh, flags: FUSE_POLL_SCHEDULE_NOTIFY, events };
    try {
      const reply = await this.#connection.request(Opcode.POLL, this.#nodeid, fusePollIn, fields);
      return reply.as(fusePollOut).revents;
    } catch (error) {
      if (error instanceof Errno) return POLLERR;
      throw error;
    }
  }
}

/** Transfers by calls of MAX_WRITE bytes, up to the first that is short; an error only counts where nothing was transferred before. */
async function inPieces(
  length: number,
  transfer: (done: number, size: number) => Promise<number>,
): Promise<number> {
  let done = 0;
  while (done < length) {
    const size = Math.min(length - done, MAX_WRITE);
    try {
      const count = await transfer(done, size);
      done += count;
      if (count < size) break;
    } catch (error) {
      if (done === 0) throw error;
      break;
    }
  }
  return done;
}
