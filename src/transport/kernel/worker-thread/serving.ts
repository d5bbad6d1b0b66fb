import { EDEADLK, EIO } from '../../../sys/errno.ts';
import { type Cell, type Counters, count, countTime, SAMPLE } from '../../counters.ts';
import type { TraceOrder } from '../../tracers.ts';
import { TracingChannel } from '../channel/tracing.ts';
import type { Call } from '../wire/call.ts';
import type { Channel } from '../wire/channel.ts';
import { bytesOf, resultOf } from '../wire/counted.ts';
import { serve, treeOperations } from '../wire/dispatch.ts';
import { operationName, teller } from '../wire/traced.ts';
import { type News, type SharedNode, type ToldRequest, WAITING, type Written } from '../worker-contract.ts';
import { SharedInodes, type WorkerNode } from './shared-inodes.ts';

/** What a worker has to do with the mount that it works for. */
export interface Mount {
  /** Where to say which request the mount would be left with, if this thread ended. */
  readonly serving: Float64Array;
  /** How often there was news. */
  readonly news: Int32Array;
  /** The news that has come since the last time. */
  takeNews(): readonly News[];
  /** Who wants to know of requests from the start. */
  readonly orders?: readonly TraceOrder[];
  /** The thread that has the tree. */
  readonly owner: number;
  /** What is to be imported before a handler's module that isn't of this package. */
  readonly hook?: string | undefined;
  /** What this thread counts. */
  readonly counters: Counters;
  /** Passes a request on to it, a WRITE that it is to answer, or what somebody wants to know. */
  pass(message: Uint8Array<ArrayBuffer> | Written | ToldRequest): void;
}

/**
 * A worker: takes requests from a channel, serves those for the files it knows on the spot, and passes the others on to the
 * thread that has the tree. It comes back to its event loop only when there is news of a file, to import its handler.
 */
export class Serving {
  readonly #inodes: SharedInodes;
  readonly #mount: Mount;
  #seen = 0;
  /** Up to the next request that is timed. */
  #left = 1;
  /** Where the last request was counted. */
  #cell: Cell | undefined;

  constructor(mount: Mount) {
    this.#mount = mount;
    this.#inodes = new SharedInodes((written) => mount.pass(written), mount.hook);
  }

  /** Takes a file in, before or between requests. Throws what its module throws. */
  add(node: SharedNode): Promise<WorkerNode> {
    return this.#inodes.add(node);
  }

  /** Serves until the file system is unmounted, or the channel stops. */
  async run(device: Channel, call: Call): Promise<void> {
    let channel = this.#told(device, this.#mount.orders ?? []);
    for (;;) {
      const one = this.#serve(channel, call);
      if (one === undefined) return;
      this.#mount.serving[0] = one.header.unique;
      one.since = performance.now();
      const orders = await this.#learn();
      if (orders !== undefined) channel = this.#told(device, orders);
      this.#one(channel, one);
    }
  }

  /** The same channel for those that want to know of requests, if there are any. */
  #told(device: Channel, orders: readonly TraceOrder[]): Channel {
    const pathOf = (ino: number) => this.#inodes.node(ino)?.path ?? '';
    const tell = teller(orders, pathOf, (traced, whom) => this.#mount.pass({ traced, whom }));
    return tell === undefined ? device : new TracingChannel(device, tell);
  }

  /** Serves one request after the other. Returns one that waits for the news to be learned, or undefined at the end. */
  #serve(channel: Channel, call: Call): Call | undefined {
    const { news } = this.#mount;
    for (;;) {
      const one = channel.next(call);
      if (typeof one !== 'object') return undefined;
      if (news[0] !== this.#seen) return one;
      if (--this.#left > 0) this.#one(channel, one);
      else this.#timedOne(channel, one);
    }
  }

  #one(channel: Channel, call: Call): void {
    const { serving, counters } = this.#mount;
    serving[0] = call.header.unique;
    const { opcode, nodeid } = call.header;
    const node = this.#inodes.node(nodeid);
    const operation = node?.operations[opcode];
    if (node === undefined || operation === undefined) this.#pass(channel, call);
    else {
      const cell = node.cell(opcode, counters);
      const answer = serve(operation, node, this.#inodes, call);
      const result = typeof answer === 'number' ? answer : tooLate();
      count(cell, resultOf(result), bytesOf(call, result));
      this.#cell = cell;
      channel.answer(call, result);
      if (node.ops.placement.secret) call.wipe(result);
    }
    serving[0] = WAITING;
  }

  /** One that another thread answers is timed there. */
  #timedOne(channel: Channel, call: Call): void {
    this.#left = SAMPLE;
    this.#cell = undefined;
    const since = performance.now();
    this.#one(channel, call);
    if (this.#cell !== undefined) countTime(this.#cell, performance.now() - since);
  }

  /** To the thread that has the tree, unless it is that one which waits for the answer, and so can't give it. */
  #pass(channel: Channel, call: Call): void {
    const { opcode, pid } = call.header;
    if (pid !== this.#mount.owner || treeOperations[opcode]?.silent) this.#mount.pass(call.message());
    else {
      console.error(
        `ramproc: the thread that serves a mount called into it (${operationName(opcode)}), and would wait for itself for ever: EDEADLK. Use the asynchronous functions of fs there.`,
      );
      channel.answer(call, -EDEADLK);
    }
  }

  /** Returns all that want to know of requests, if they aren't the same any more. */
  async #learn(): Promise<readonly TraceOrder[] | undefined> {
    const { news } = this.#mount;
    this.#seen = news[0] ?? 0;
    let orders: readonly TraceOrder[] | undefined;
    for (const one of this.#mount.takeNews()) {
      if ('forgotten' in one) this.#inodes.delete(one.forgotten);
      else if ('orders' in one) orders = one.orders;
      else {
        // Until it can be had here, the thread that has the tree serves it.
        await this.add(one.added).catch((error: unknown) => console.error(error));
      }
    }
    return orders;
  }
}

/** A worker is never on its event loop, where a promise could be kept: see SharedHandler. */
function tooLate(): number {
  console.error(new TypeError('A shared handler answered with a promise; it must answer at once.'));
  return -EIO;
}
