import type { Fields, Struct, View } from '../../../abi/c-struct.ts';
import { fuseInHeader, fuseOutHeader } from '../../../abi/structs.ts';
import { UserSliceReader, UserSliceWriter } from '../../../proc-fs/user-slice.ts';

export const REQUEST_HEADER = fuseInHeader.size;
export const REPLY_HEADER = fuseOutHeader.size;

/**
 * One request and its reply: two buffers, and what was placed on them once, so that a call that is used again and again
 * serves its requests without allocating.
 */
export class Call {
  /** The request as the kernel wrote it. */
  readonly request: Uint8Array;
  /** The reply as the kernel will read it: its header, then its body. */
  readonly reply: Uint8Array;
  readonly header: ReturnType<typeof fuseInHeader.at>;
  /** Bytes that came with the request, for a handler that takes bytes. */
  readonly reader = new UserSliceReader();
  /** Room in the reply, for a handler that fills bytes. */
  readonly writer = new UserSliceWriter();
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
    this.#replyHeader = fuseOutHeader.at(this.#replyView, 0);
  }

  /** The struct behind the request's header. */
  input<F extends Fields>(struct: Struct<F>): View<F> {
    this.#inputs[struct.id] ??= struct.at(this.#requestView, REQUEST_HEADER);
    return this.#inputs[struct.id] as View<F>;
  }

  /** A struct that starts `offset` bytes into the request. */
  inputAt<F extends Fields>(struct: Struct<F>, offset: number): View<F> {
    return struct.at(this.#requestView, offset);
  }

  /** The struct behind the reply's header, all zero. */
  output<F extends Fields>(struct: Struct<F>): View<F> {
    this.#outputs[struct.id] ??= struct.at(this.#replyView, REPLY_HEADER);
    this.reply.fill(0, REPLY_HEADER, REPLY_HEADER + struct.size);
    return this.#outputs[struct.id] as View<F>;
  }

  /** A struct that starts `offset` bytes into the reply, as it is. */
  outputAt<F extends Fields>(struct: Struct<F>, offset: number): View<F> {
    return struct.at(this.#replyView, offset);
  }

  /** Writes the reply's header for an answer: a body's length, or a negative error number. Returns the reply's length. */
  finish(answer: number): number {
    return answer < 0 ? this.#finish(REPLY_HEADER, answer) : this.#finish(REPLY_HEADER + answer, 0);
  }

  /** Overwrites a request of `length` bytes and the reply to it. */
  wipe(length: number, answer: number): void {
    this.request.fill(0, 0, length);
    this.reply.fill(0, 0, REPLY_HEADER + Math.max(answer, 0));
  }

  /** Whether the `length` bytes that were read are one whole request, with `body` bytes or more behind its header. */
  isWhole(length: number, body: number): boolean {
    return length >= REQUEST_HEADER + body && this.header.len === length;
  }

  #finish(length: number, error: number): number {
    this.#replyHeader.len = length;
    this.#replyHeader.error = error;
    this.#replyHeader.unique = this.header.unique;
    return length;
  }
}
