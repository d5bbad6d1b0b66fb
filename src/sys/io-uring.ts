import { closeSync } from 'node:fs';
import koffi, { type KoffiFunc } from 'koffi';
import { EAGAIN, EBUSY, EINTR, Errno } from './errno.ts';
import { addressOf, libc } from './libc.ts';
import { mapFile, unmap, viewMemory } from './mmap.ts';

/** Numbers of system calls, the same on all machines. Source: include/uapi/asm-generic/unistd.h. */
const IO_URING_SETUP = 425;
const IO_URING_ENTER = 426;

/** Source of all that follows: include/uapi/linux/io_uring.h, io_uring_setup(2) and io_uring_enter(2). */
const SETUP_CQSIZE = 1 << 3;
const SETUP_COOP_TASKRUN = 1 << 8;
const SETUP_SQE128 = 1 << 10;
const SETUP_NO_SQARRAY = 1 << 16;
const ENTER_GETEVENTS = 1 << 0;
const ENTER_EXT_ARG = 1 << 3;
const OFF_SQES = 0x10000000;
const OP_POLL_ADD = 6;
const OP_URING_CMD = 46;
const POLL_ADD_MULTI = 1;
const POLLIN = 1;
const CQE_MORE = 1 << 1;
const ETIME = 62;

const SQE_SIZE = 128;
const SQE_WORDS = SQE_SIZE / 4;
const CQE_WORDS = 4;

/** struct io_uring_params in words: itself, and struct io_sqring_offsets and io_cqring_offsets in it. */
const PARAMS_WORDS = 30;
const PARAMS = { sqEntries: 0, cqEntries: 1, flags: 2 } as const;
const SQ_OFFSETS = { head: 10, tail: 11, mask: 12 } as const;
const CQ_OFFSETS = { head: 20, tail: 21, mask: 22, cqes: 25 } as const;

const setup: KoffiFunc<(call: number, entries: number, params: Uint8Array) => number> = libc.func(
  'syscall',
  'long',
  ['long', 'uint', 'void *'],
);

const enter: KoffiFunc<
  (
    call: number,
    fd: number,
    submit: number,
    complete: number,
    flags: number,
    argument: Uint8Array | null,
    size: number,
  ) => number
> = libc.func('syscall', 'long', ['long', 'uint', 'uint', 'uint', 'uint', 'void *', 'size_t']);

/** What the thread that is to use a ring needs of it. */
export interface RingState {
  readonly fd: number;
  /** Where both rings and the submissions are mapped, and how much, in bytes. */
  readonly rings: number;
  readonly ringsSize: number;
  readonly submissions: number;
  readonly submissionsSize: number;
  readonly params: Uint32Array;
}

/**
 * An io_uring whose submissions have 128 bytes, for one thread. What that has asked for the kernel can't bring to an end when the thread has
 * ended, so another needs another ring.
 */
export class Ring {
  /** What the completion that was taken last says: the number that its submission had, its result, and whether more will come. */
  data = 0;
  result = 0;
  hasMore = false;
  readonly state: RingState;
  /** What both rings share with the kernel, in words. */
  readonly #words: Int32Array;
  readonly #submissions: Int32Array;
  readonly #sqMask: number;
  readonly #sqHead: number;
  readonly #sqTail: number;
  readonly #cqMask: number;
  readonly #cqHead: number;
  readonly #cqTail: number;
  readonly #cqes: number;
  readonly #wait: Uint8Array | null;

  /** Makes one with room for so many submissions at once, and so many completions. Throws an Errno. */
  static create(submissions: number, completions: number): RingState {
    const params = new Uint32Array(PARAMS_WORDS);
    params[PARAMS.cqEntries] = completions;
    params[PARAMS.flags] = SETUP_CQSIZE | SETUP_COOP_TASKRUN | SETUP_SQE128 | SETUP_NO_SQARRAY;
    const fd = setup(IO_URING_SETUP, submissions, new Uint8Array(params.buffer));
    if (fd < 0) throw new Errno(koffi.errno(), 'io_uring_setup');
    const at = (index: number) => params[index] ?? 0;
    const ringsSize = at(CQ_OFFSETS.cqes) + at(PARAMS.cqEntries) * CQE_WORDS * 4;
    const submissionsSize = at(PARAMS.sqEntries) * SQE_SIZE;
    return {
      fd,
      rings: mapFile(ringsSize, fd, 0),
      ringsSize,
      submissions: mapFile(submissionsSize, fd, OFF_SQES),
      submissionsSize,
      params,
    };
  }

  /** Ends it. Nobody may use it any more. */
  static destroy({ fd, rings, ringsSize, submissions, submissionsSize }: RingState): void {
    unmap(rings, ringsSize);
    unmap(submissions, submissionsSize);
    closeSync(fd);
  }

  /** `sleep`: how long `wait` takes at most, in milliseconds; -1 for ever. */
  constructor(state: RingState, sleep: number) {
    this.state = state;
    const { rings, ringsSize, submissions, submissionsSize, params } = state;
    const at = (index: number) => params[index] ?? 0;
    const words = (bytes: Uint8Array) => new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
    this.#words = words(viewMemory(rings, ringsSize));
    this.#submissions = words(viewMemory(submissions, submissionsSize));
    this.#sqHead = at(SQ_OFFSETS.head) / 4;
    this.#sqTail = at(SQ_OFFSETS.tail) / 4;
    this.#sqMask = this.#words[at(SQ_OFFSETS.mask) / 4] ?? 0;
    this.#cqHead = at(CQ_OFFSETS.head) / 4;
    this.#cqTail = at(CQ_OFFSETS.tail) / 4;
    this.#cqMask = this.#words[at(CQ_OFFSETS.mask) / 4] ?? 0;
    this.#cqes = at(CQ_OFFSETS.cqes) / 4;
    this.#wait = sleep < 0 ? null : timeout(sleep);
  }

  /**
   * Submits a command for the file of `fd`: `operation`, and what its 80 bytes begin with: no flags, a number of 64 bits in two halves, and
   * one of 16. `address` and `length` are what it finds its memory by.
   */
  command(
    fd: number,
    data: number,
    operation: number,
    low: number,
    high: number,
    short: number,
    address = 0,
    length = 0,
  ): void {
    const sqe = this.#begin(OP_URING_CMD, fd, data);
    const words = this.#submissions;
    words[sqe + 2] = operation;
    words[sqe + 4] = address >>> 0;
    words[sqe + 5] = Math.floor(address / 2 ** 32);
    words[sqe + 6] = length;
    words[sqe + 14] = low;
    words[sqe + 15] = high;
    words[sqe + 16] = short;
    this.#end();
  }

  /** Submits that a descriptor is watched, and a completion comes each time that it can be read. */
  watch(fd: number, data: number): void {
    const sqe = this.#begin(OP_POLL_ADD, fd, data);
    this.#submissions[sqe + 6] = POLL_ADD_MULTI;
    this.#submissions[sqe + 7] = POLLIN;
    this.#end();
  }

  /** Takes a completion, if there is one. */
  take(): boolean {
    const words = this.#words;
    const head = words[this.#cqHead] ?? 0;
    if (head === Atomics.load(words, this.#cqTail)) return false;
    const cqe = this.#cqes + (head & this.#cqMask) * CQE_WORDS;
    this.data = words[cqe] ?? 0;
    this.result = words[cqe + 2] ?? 0;
    this.hasMore = ((words[cqe + 3] ?? 0) & CQE_MORE) !== 0;
    Atomics.store(words, this.#cqHead, (head + 1) | 0);
    return true;
  }

  /** Whether there is a completion of this number. */
  has(data: number): boolean {
    const words = this.#words;
    const tail = Atomics.load(words, this.#cqTail);
    for (let at = words[this.#cqHead] ?? 0; at !== tail; at = (at + 1) | 0)
      if (words[this.#cqes + (at & this.#cqMask) * CQE_WORDS] === data) return true;
    return false;
  }

  /** The numbers and operations of the commands that weren't handed to the kernel. */
  unsubmitted(): { readonly data: number; readonly operation: number }[] {
    const words = this.#words;
    const commands: { data: number; operation: number }[] = [];
    const tail = words[this.#sqTail] ?? 0;
    for (let at = Atomics.load(words, this.#sqHead); at !== tail; at = (at + 1) | 0) {
      const sqe = (at & this.#sqMask) * SQE_WORDS;
      const [opcode = 0, data = 0] = [this.#submissions[sqe], this.#submissions[sqe + 8]];
      if ((opcode & 0xff) === OP_URING_CMD)
        commands.push({ data, operation: this.#submissions[sqe + 2] ?? 0 });
    }
    return commands;
  }

  /** Hands all submissions to the kernel. */
  submit(): void {
    this.#enter(0, 0, null);
  }

  /** The same, and waits for a completion; for no longer than was said. */
  wait(): void {
    if (this.#wait === null) this.#enter(1, ENTER_GETEVENTS, null);
    else this.#enter(1, ENTER_GETEVENTS | ENTER_EXT_ARG, this.#wait);
  }

  /** Begins the next submission, all of it zero. Returns where it is, in words. Nobody looks at it before it is handed over. */
  #begin(opcode: number, fd: number, data: number): number {
    const words = this.#words;
    while (((words[this.#sqTail] ?? 0) - Atomics.load(words, this.#sqHead)) >>> 0 > this.#sqMask)
      this.submit();
    const sqe = ((words[this.#sqTail] ?? 0) & this.#sqMask) * SQE_WORDS;
    this.#submissions.fill(0, sqe, sqe + SQE_WORDS);
    this.#submissions[sqe] = opcode;
    this.#submissions[sqe + 1] = fd;
    this.#submissions[sqe + 8] = data;
    return sqe;
  }

  #end(): void {
    Atomics.store(this.#words, this.#sqTail, ((this.#words[this.#sqTail] ?? 0) + 1) | 0);
  }

  #enter(complete: number, flags: number, argument: Uint8Array | null): void {
    const words = this.#words;
    const submit = ((words[this.#sqTail] ?? 0) - Atomics.load(words, this.#sqHead)) >>> 0;
    const size = argument === null ? 0 : argument.length;
    if (enter(IO_URING_ENTER, this.state.fd, submit, complete, flags, argument, size) >= 0) return;
    const errno = koffi.errno();
    // EAGAIN and EBUSY: no memory now, or completions have to be taken first.
    if (![EINTR, EAGAIN, EBUSY, ETIME].includes(errno)) throw new Errno(errno, 'io_uring_enter');
  }
}

/** A struct io_uring_getevents_arg, which leads to a struct __kernel_timespec behind it. */
function timeout(milliseconds: number): Uint8Array {
  const bytes = new Uint8Array(40);
  const words = new BigUint64Array(bytes.buffer);
  const seconds = Math.floor(milliseconds / 1000);
  words[2] = addressOf(bytes) + 24n;
  words[3] = BigInt(seconds);
  words[4] = BigInt(Math.round((milliseconds - seconds * 1000) * 1e6));
  return bytes.subarray(0, 24);
}
