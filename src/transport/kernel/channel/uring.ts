import { Opcode } from '../../../abi/fuse.ts';
import { RingHeader, UringCommand } from '../../../abi/uring.ts';
import { runOn } from '../../../sys/affinity.ts';
import { ECANCELED, EINTR, ENOENT, ENOTCONN, Errno } from '../../../sys/errno.ts';
import { Ring, type RingState } from '../../../sys/io-uring.ts';
import { write } from '../../../sys/read-write.ts';
import { isHungUp } from '../../../sys/watch.ts';
import type { Call } from '../wire/call.ts';
import { type Channel, Next } from '../wire/channel.ts';
import { MAX_WRITE } from '../wire/init.ts';
import { retrieveNothing } from '../wire/notify.ts';
import { NO_REPLY } from '../wire/operation.ts';
import { RingCalls } from './ring-calls.ts';
import { Holder, RingMemory, type RingMemoryState } from './ring-memory.ts';

/** What completions say they are of, beside entries by their numbers. */
const STOP = -1;
const ANSWERED = -2;

/** The number of a request that only has a queue looked at. The kernel's own are lower; all are even. */
const NOTICE = 2 ** 52;

/** How many entries a queue has left at least while others wait for their answers. */
const SPARE = 2;

/** A ring, and what its thread does with it. */
export interface RingData {
  readonly ring: RingState;
  readonly memory: RingMemoryState;
  /** The queues that it serves, by their numbers, which are those of the processors that clients run on. */
  readonly queues: readonly number[];
  /** How many entries each queue has at first. */
  readonly depth: number;
  /** Whether another thread served them before, and has ended. */
  readonly isRenewed: boolean;
  /** A descriptor that can be read when other threads have answered something. */
  readonly answered: number;
}

/**
 * A mount's requests, by io_uring: a reply is handed over and the next request waited for in one system call, and that comes from a queue
 * of the processor that the client runs on, which this thread runs on too. Source: fs/fuse/dev_uring.c.
 *
 * A request that waits for an answer keeps its entry, so more are registered where few are left: who waits doesn't keep out who would wake
 * him.
 */
export class UringChannel implements Channel {
  readonly #fd: number;
  readonly #data: RingData;
  readonly #ring: Ring;
  readonly #memory: RingMemory;
  readonly #calls: RingCalls;
  /** How many entries the kernel has, by queue. */
  readonly #left: number[] = [];
  /** Entries whose requests the thread before this one didn't look at. */
  readonly #inherited: number[];
  /** Queues in which requests may wait that no entry takes: too few may have been left when they came. */
  readonly #overlooked = new Set<number>();
  /** That of the request which is served. */
  #entry = 0;

  /**
   * For the device `fd`, until `stop` can be read. `sleep` is how long to sleep at most before JavaScript runs again, in milliseconds: -1
   * for ever. Throws an Errno when the kernel takes no entry.
   */
  constructor(fd: number, stop: number, sleep: number, data: RingData) {
    this.#fd = fd;
    this.#data = data;
    this.#ring = new Ring(data.ring, sleep);
    this.#memory = new RingMemory(data.memory);
    this.#calls = new RingCalls(this.#memory);
    this.#inherited = this.#memory.allOf(Holder.ARRIVED);
    for (const queue of data.queues) {
      this.#left[queue] = 0;
      if (data.isRenewed) this.#overlooked.add(queue);
    }
    this.#ring.watch(stop, STOP);
    this.#ring.watch(data.answered, ANSWERED);
    for (const entry of this.#memory.allOf(Holder.NOBODY).slice(0, data.queues.length * data.depth))
      this.#register(entry, data.queues[entry % data.queues.length] ?? 0);
    this.#handAnswered();
    this.#ring.submit();
  }

  next(): Call | Next {
    for (;;) {
      if (!this.#ring.take()) {
        const inherited = this.#inherited.pop();
        const call = inherited === undefined ? undefined : this.#arrived(inherited);
        if (call !== undefined) return call;
        if (this.#overlooked.size > 0) this.#look();
        this.#ring.wait();
        continue;
      }
      const { data, result, hasMore } = this.#ring;
      if (data === STOP) return Next.NOTHING;
      if (data === ANSWERED) {
        if (!hasMore && result !== -ECANCELED) this.#ring.watch(this.#data.answered, ANSWERED);
        this.#handAnswered();
      } else if (result === 0) {
        const call = this.#arrived(data);
        if (call !== undefined) return call;
      } else if (!this.#failed(data, -result)) return Next.UNMOUNTED;
    }
  }

  answer(_call: Call, answer: number): void {
    if (answer !== NO_REPLY) this.#answer(answer);
  }

  #answer(answer: number): void {
    this.#memory.answer(this.#entry, answer);
    this.#hand(this.#entry);
  }

  /** The device is what notifications go by. */
  notify(): void {
    throw new Error('A ring takes no notifications.');
  }

  notifyNow(): void {
    this.notify();
  }

  close(): void {}

  /** Puts the request of an entry where one is served. */
  #arrived(entry: number): Call | undefined {
    const memory = this.#memory;
    if (memory.holder(entry) === Holder.KERNEL) this.#count(entry, -1);
    memory.give(entry, Holder.SERVER);
    this.#entry = entry;
    if (memory.words[memory.word(entry, RingHeader.IN_OUT) + 1] === Opcode.NOTIFY_REPLY) {
      this.#looked();
      return undefined;
    }
    return this.#calls.of(entry);
  }

  /** Hands over what other threads have answered. */
  #handAnswered(): void {
    for (;;) {
      const entry = this.#memory.firstOf(Holder.ANSWERED);
      if (entry === undefined) return;
      this.#hand(entry);
    }
  }

  /** Hands the kernel the reply in an entry, and the entry. */
  #hand(entry: number): void {
    const memory = this.#memory;
    memory.give(entry, Holder.KERNEL);
    this.#count(entry, 1);
    const id = memory.word(entry, RingHeader.ENTRY) + 2;
    const [low = 0, high = 0] = [memory.words[id], memory.words[id + 1]];
    this.#ring.command(this.#fd, entry, UringCommand.COMMIT_AND_FETCH, low, high, memory.queue(entry));
  }

  #register(entry: number, queue: number): void {
    const memory = this.#memory;
    memory.setQueue(entry, queue);
    memory.give(entry, Holder.KERNEL);
    this.#count(entry, 1);
    const { address } = memory.state;
    // The header's page has room for what the kernel wants to be told, which it looks at when this is submitted.
    const vector = memory.word(entry, RingHeader.SIZE);
    const at = [address + memory.header(entry), RingHeader.SIZE, address + memory.payload(entry), MAX_WRITE];
    for (const [index, value] of at.entries()) {
      memory.words[vector + 2 * index] = value;
      memory.words[vector + 2 * index + 1] = Math.floor(value / 2 ** 32);
    }
    const iovec = address + memory.header(entry) + RingHeader.SIZE;
    this.#ring.command(this.#fd, entry, UringCommand.REGISTER, 0, 0, queue, iovec, 2);
  }

  /** Counts an entry that the kernel has, or hasn't any more. Registers another one where few are left. */
  #count(entry: number, change: number): void {
    const queue = this.#memory.queue(entry);
    const left = (this.#left[queue] ?? 0) + change;
    this.#left[queue] = left;
    if (change > 0 || left >= SPARE) return;
    const spare = this.#memory.firstOf(Holder.NOBODY);
    if (spare === undefined) return;
    this.#register(spare, queue);
    this.#overlooked.add(queue);
  }

  /**
   * Has the kernel hand out what waits in queues that had too few entries left. One that is registered takes nothing of it, only one that is
   * handed back does (fuse_uring_next_fuse_req); so a request is made to be answered, on the queue's processor.
   */
  #look(): void {
    this.#ring.submit();
    for (const queue of this.#overlooked) {
      runOn([queue]);
      this.#memory.inodes().some((ino) => this.#asks(retrieveNothing(ino, NOTICE)));
    }
    runOn(this.#data.queues);
    this.#overlooked.clear();
  }

  /** Whether the kernel makes a request for it: not of a directory, and not of what it has forgotten. */
  #asks(notice: Uint8Array): boolean {
    return write(this.#fd, notice, notice.length) >= 0;
  }

  /** Answers that request. What the entry takes then was waiting, and more may be. */
  #looked(): void {
    this.#answer(0);
    this.#ring.submit();
    if (this.#ring.has(this.#entry)) this.#overlooked.add(this.#memory.queue(this.#entry));
  }

  /** An entry came back without a request. Returns false when that is the end of the mount. Throws an Errno. */
  #failed(entry: number, errno: number): boolean {
    if (isHungUp(this.#fd)) return false;
    // The request that it was handed back for is gone (ENOENT), or the kernel couldn't go on with it.
    if (![ENOENT, ENOTCONN, ECANCELED, EINTR].includes(errno)) throw new Errno(errno, 'io_uring');
    const queue = this.#memory.queue(entry);
    this.#left[queue] = (this.#left[queue] ?? 0) - 1;
    this.#register(entry, queue);
    this.#overlooked.add(queue);
    return true;
  }
}
