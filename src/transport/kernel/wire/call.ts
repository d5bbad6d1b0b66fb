import type { Fields, Struct, View } from '../../../abi/c-struct.ts';
import { fuseInHeader, fuseOutHeader, fuseWriteIn } from '../../../abi/structs.ts';
import { UserSliceReader, UserSliceWriter } from '../../../proc-fs/user-slice.ts';
import { RequestCaller } from './caller.ts';

const REQUEST_HEADER = fuseInHeader.size;
const REPLY_HEADER = fuseOutHeader.size;
const PAGE_SIZE = 4096;
const CACHE_LINE = 64;

/**
 * One request and its reply: the only place that knows where in memory their bytes lie. Positions that operations name count
 * from the end of the header, in the request's body and in the reply's.
 *
 * Two buffers, and what was placed on them once, so that a call that is used again and again serves its requests without
 * allocating.
 */
export class Call {
  /** The request as the kernel wrote it, for channels. */
  readonly request: Uint8Array;
  /** The reply as the kernel will read it: its header, then its body. For channels. */
  readonly reply: Uint8Array;
  /** How many bytes of `request` a channel got: see `arrived`. */
  length = 0;
  /** When it came, as performance.now() says, if somebody wants to know how long it takes. */
  since = 0;
  readonly header: ReturnType<typeof fuseInHeader.at>;
  readonly caller: RequestCaller;
  readonly #reader = new UserSliceReader();
  readonly #writer = new UserSliceWriter();
  readonly #requestView: DataView;
  readonly #replyView: DataView;
  readonly #replyHeader: ReturnType<typeof fuseOutHeader.at>;
  readonly #inputs: unknown[] = [];
  readonly #outputs: unknown[] = [];

  constructor(request: Uint8Array, reply: Uint8Array) {
    this.request = request;
    this.reply = reply;
    this.#requestView = new DataView(request.buffer, request.byteOffset, request.byteLength);
    this.#replyView = new DataView(reply.buffer, reply.byteOffset, reply.byteLength);
    this.header = fuseInHeader.at(this.#requestView, 0);
    this.caller = new RequestCaller(this.header);
    this.#replyHeader = fuseOutHeader.at(this.#replyView, 0);
  }

  /** A call that holds a request's message already, with room for a reply's body of `room` bytes. */
  static of(message: Uint8Array, room: number): Call {
    const call = new Call(message, new Uint8Array(REPLY_HEADER + room));
    call.length = message.length;
    return call;
  }

  /** A call to answer a request whose message is gone, but for its number. */
  static numbered(unique: number, room = 0): Call {
    const call = Call.of(new Uint8Array(REQUEST_HEADER), room);
    call.header.unique = unique;
    return call;
  }

  /**
   * A call with room for `data` bytes in the request and in the reply, within page-aligned memory: placed so that the data of a WRITE
   * starts a page, and that of a READ a line of the cache behind the start of one.
   *
   * The kernel copies page by page, and where a reply's data started a page too, `rep movsb` between equal offsets took 2.5
   * times as long on some processors; on others both are as fast. See scripts/bench/README.md.
   */
  static within(memory: Uint8Array, data: number): Call {
    const size = data + PAGE_SIZE;
    const at = (start: number) => memory.subarray(start, start + size);
    return new Call(
      at(PAGE_SIZE - REQUEST_HEADER - fuseWriteIn.size),
      at(size + 2 * PAGE_SIZE + CACHE_LINE - REPLY_HEADER),
    );
  }

  /** How much memory that needs, in bytes: beside the data a page in front of it, and one for what isn't data. */
  static space(data: number): number {
    return 2 * (data + 2 * PAGE_SIZE) + CACHE_LINE;
  }

  /**
   * For channels: `length` bytes of a request have come. Returns whether it can be answered. Not without a whole header, where its
   * number would be; nor with number 0, which would be a notification (fuse_dev_do_write); and the kernel, which
   * counts by two from there (fuse_get_unique), never comes to 2^53.
   */
  arrived(length: number): boolean {
    this.length = length;
    this.caller.renew();
    if (length < REQUEST_HEADER) return false;
    const { unique } = this.header;
    return unique > 0 && unique <= Number.MAX_SAFE_INTEGER;
  }

  /** Whether the bytes that were read are one whole request, with `body` bytes or more behind its header. */
  isWhole(body: number): boolean {
    return this.length >= REQUEST_HEADER + body && this.header.len === this.length;
  }

  /** How many bytes the request has behind its header. */
  get bodyLength(): number {
    return this.header.len - REQUEST_HEADER;
  }

  /** How many bytes a reply's body can have. */
  get room(): number {
    return this.reply.length - REPLY_HEADER;
  }

  /** The struct with which the request's body begins. */
  input<F extends Fields>(struct: Struct<F>): View<F> {
    this.#inputs[struct.id] ??= struct.at(this.#requestView, REQUEST_HEADER);
    return this.#inputs[struct.id] as View<F>;
  }

  /** A struct that stands `offset` bytes into the request's body. */
  inputAt<F extends Fields>(struct: Struct<F>, offset: number): View<F> {
    return struct.at(this.#requestView, REQUEST_HEADER + offset);
  }

  /** What stands in the request's body from `offset` on. */
  inputBytes(offset: number): Uint8Array {
    return this.request.subarray(REQUEST_HEADER + offset, this.header.len);
  }

  /** `size` bytes of the request's body, from `offset`, for a handler that takes bytes. */
  reader(offset: number, size: number): UserSliceReader {
    return this.#reader.place(this.request, REQUEST_HEADER + offset, size);
  }

  /** `size` bytes of the reply's body, from `offset`, for a handler that fills bytes. */
  writer(offset: number, size: number): UserSliceWriter {
    return this.#writer.place(this.reply, REPLY_HEADER + offset, size);
  }

  /** The struct with which the reply's body begins, all zero. */
  output<F extends Fields>(struct: Struct<F>): View<F> {
    this.#outputs[struct.id] ??= struct.at(this.#replyView, REPLY_HEADER);
    this.reply.fill(0, REPLY_HEADER, REPLY_HEADER + struct.size);
    return this.#outputs[struct.id] as View<F>;
  }

  /** The struct with which the reply's body begins, as it is. */
  outputAsItIs<F extends Fields>(struct: Struct<F>): View<F> {
    this.#outputs[struct.id] ??= struct.at(this.#replyView, REPLY_HEADER);
    return this.#outputs[struct.id] as View<F>;
  }

  /** A struct that stands `offset` bytes into the reply's body, as it is. */
  outputAt<F extends Fields>(struct: Struct<F>, offset: number): View<F> {
    return struct.at(this.#replyView, REPLY_HEADER + offset);
  }

  /** `size` bytes of the reply's body, from `offset`, as they are. */
  outputBytesAsTheyAre(offset: number, size: number): Uint8Array {
    return this.reply.subarray(REPLY_HEADER + offset, REPLY_HEADER + offset + size);
  }

  /** `size` bytes of the reply's body, from `offset`, all zero. */
  outputBytes(offset: number, size: number): Uint8Array {
    return this.reply.subarray(REPLY_HEADER + offset, REPLY_HEADER + offset + size).fill(0);
  }

  /** A copy of the request's message, for another thread. */
  message(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.request.subarray(0, this.length));
  }

  /** Writes the reply's header for an answer: a body's length, or a negative error number. Returns the reply's length. */
  finish(answer: number): number {
    return answer < 0 ? this.#finish(REPLY_HEADER, answer) : this.#finish(REPLY_HEADER + answer, 0);
  }

  /** Overwrites the request and the reply to it. */
  wipe(answer: number): void {
    this.request.fill(0, 0, this.length);
    this.reply.fill(0, 0, REPLY_HEADER + Math.max(answer, 0));
  }

  #finish(length: number, error: number): number {
    this.#replyHeader.len = length;
    this.#replyHeader.error = error;
    this.#replyHeader.unique = this.header.unique;
    return length;
  }
}
