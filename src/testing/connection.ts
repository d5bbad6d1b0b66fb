import type { Fields, Struct, View } from '../abi/c-struct.ts';
import { NotifyCode, Opcode } from '../abi/fuse.ts';
import { fuseInHeader, fuseInterruptIn, fuseOutHeader } from '../abi/structs.ts';
import type { ProcDirEntry } from '../proc-fs/entries/entry.ts';
import { Errno } from '../sys/errno.ts';
import { TreeServer } from '../transport/kernel/main-thread/tree-server.ts';
import type { Call } from '../transport/kernel/wire/call.ts';
import { type Channel, Next } from '../transport/kernel/wire/channel.ts';
import { NO_REPLY } from '../transport/kernel/wire/operation.ts';
import type { TestCaller } from './caller.ts';

/** The body of a reply. */
export class Reply {
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** The struct with which it begins. */
  as<F extends Fields>(struct: Struct<F>): View<F> {
    return struct.at(new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.length), 0);
  }
}

/**
 * A client's connection to a tree: in the place of the kernel it makes the requests that the kernel would, and the thread that has a
 * mounted tree serves them, to the letter.
 */
export class Connection implements Channel {
  readonly caller: Required<Omit<TestCaller, 'flags'>>;
  readonly #server: TreeServer;
  readonly #waiting = new Map<number, { answered(body: Reply): void; failed(error: Errno): void }>();
  #last = 0;
  /** Called when a file that is polled may have changed. */
  woken: () => void = () => {};

  constructor(root: ProcDirEntry, caller: TestCaller) {
    const { uid = process.geteuid?.() ?? 0, gid = process.getegid?.() ?? 0, tid = process.pid } = caller;
    this.caller = { uid, gid, tid };
    this.#server = new TreeServer(root, this, {
      ...{ backing: new Map(), cachedPages: new Map(), endless: false },
    });
  }

  /** Makes a request, whose body begins with a struct. Rejects with an Errno. */
  request<F extends Fields>(
    opcode: number,
    nodeid: number,
    struct: Struct<F>,
    fields: Partial<View<F>>,
    tail: Uint8Array = new Uint8Array(),
  ): Promise<Reply> {
    const body = new Uint8Array(struct.size + tail.length);
    Object.assign(struct.at(new DataView(body.buffer), 0), fields);
    body.set(tail, struct.size);
    return this.requestOf(opcode, nodeid, body);
  }

  /** Makes a request with a body. Rejects with an Errno. */
  requestOf(opcode: number, nodeid: number, body: Uint8Array): Promise<Reply> {
    const unique = ++this.#last;
    return new Promise((answered, failed) => {
      this.#waiting.set(unique, { answered, failed });
      this.#send(unique, opcode, nodeid, body);
    });
  }

  #send(unique: number, opcode: number, nodeid: number, body: Uint8Array): void {
    const message = new Uint8Array(fuseInHeader.size + body.length);
    const { uid, gid, tid: pid } = this.caller;
    const header = { len: message.length, opcode, unique, nodeid, uid, gid, pid };
    Object.assign(fuseInHeader.at(new DataView(message.buffer), 0), header);
    message.set(body, fuseInHeader.size);
    this.#server.serveMessage(message);
  }

  /** Tells of a signal to who waits for an answer. */
  interrupt(): void {
    for (const unique of [...this.#waiting.keys()]) {
      const body = new Uint8Array(fuseInterruptIn.size);
      fuseInterruptIn.at(new DataView(body.buffer), 0).unique = unique;
      this.#send(++this.#last, Opcode.INTERRUPT, 0, body);
    }
  }

  next(): Next {
    return Next.NOTHING;
  }

  answer(call: Call, answer: number): void {
    const waiting = this.#waiting.get(call.header.unique);
    if (answer === NO_REPLY || waiting === undefined) return;
    this.#waiting.delete(call.header.unique);
    if (answer < 0) waiting.failed(new Errno(-answer));
    else waiting.answered(new Reply(call.reply.subarray(fuseOutHeader.size, call.finish(answer))));
  }

  notify(message: Uint8Array, done?: () => void): void {
    const view = new DataView(message.buffer, message.byteOffset, message.length);
    if (fuseOutHeader.at(view, 0).error === NotifyCode.POLL) this.woken();
    done?.();
  }

  notifyNow(): void {}

  close(): void {
    this.#server.end();
  }
}
