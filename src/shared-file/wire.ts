import type { OnReadOpts, Socket } from 'node:net';
import { Incoming } from './incoming.ts';

/** A part of a command: bytes go as they are. */
export type Argument = string | Buffer;

/** What an engine answers, with bytes where it has strings. */
export type Reply = null | number | string | Buffer | readonly Reply[];

export function listOf(reply: Reply | undefined): readonly Reply[] {
  return Array.isArray(reply) ? reply : [];
}

/** An error that an engine answered with, by its first word. */
export class EngineError extends Error {
  readonly code: string;
  readonly rest: string;

  constructor(message: string) {
    super(message);
    const [, code = '', rest = ''] = message.match(/^(\S*)\s*(.*)$/s) ?? [];
    this.code = code;
    this.rest = rest;
  }
}

/** What takes answers apart: the client package's own. */
export type Decoders = typeof import('@redis/client/dist/lib/RESP/decoder.js');

const MULTI = '*1\r\n$5\r\nMULTI\r\n';
const EXEC = '*1\r\n$4\r\nEXEC\r\n';

/**
 * Of so many bytes are pieces of memory that commands are put into, and so many pieces are kept to be used again. A long command goes out by
 * pieces: the engine begins with the first while the next is made, and all of them stay in a processor's cache.
 */
const PIECE = 1 << 17;
const SPARE = 16;

/** How many answered questions are kept at most. */
const MANY = 256;

/** What is asked and not answered yet. */
interface Question {
  /** How many answers are still to come: of a transaction one for each command, of which the last counts. */
  left: number;
  readonly isTransaction: boolean;
  /** The first that was an error. */
  error: unknown;
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Commands and answers on a socket. All commands of a turn of the event loop go out in one write(2), at the end of that turn and not in a later
 * one: whoever waits for their answers may be all that there is to do.
 */
export class Wire {
  /** Resolves with the reason when it is gone. */
  readonly closed: Promise<Error>;
  readonly #socket: Socket;
  readonly #incoming = new Incoming();
  readonly #questions: Question[] = [];
  /** How many of those were answered. */
  #answered = 0;
  /** What is to go out: bytes, and behind them a text. */
  #piece = Buffer.allocUnsafeSlow(PIECE);
  #length = 0;
  #text = '';
  /** Whether it goes out at the end of this turn. */
  #isTurn = false;
  readonly #spare: Buffer<ArrayBuffer>[] = [];
  #end: ((reason: Error) => void) | undefined;

  /** `open` begins to connect a socket that is read as it is told. */
  constructor(open: (onread: OnReadOpts) => Socket, { Decoder, RESP_TYPES }: Decoders) {
    const types = { [RESP_TYPES.BLOB_STRING]: Buffer, [RESP_TYPES.SIMPLE_STRING]: Buffer };
    const decoder = new Decoder({
      onReply: (reply) => this.#heard(reply, undefined),
      onErrorReply: (error) => this.#heard(null, new EngineError(error.message)),
      onPush: () => {},
      getTypeMapping: () => types,
    });
    const buffer = () => this.#incoming.next();
    const callback = (count: number) => {
      try {
        decoder.write(this.#incoming.came(count));
      } catch (error) {
        this.destroy(error as Error);
      }
      return true;
    };
    this.closed = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.#socket = open({ buffer, callback });
    this.#socket.on('error', (error) => this.destroy(error)).on('close', () => this.destroy());
  }

  /** Resolves when the socket tells of `event`. Rejects with why the connection is gone. */
  async opened(event: 'connect' | 'secureConnect'): Promise<void> {
    const gone = this.closed.then((reason) => Promise.reject(reason));
    await Promise.race([new Promise((open) => this.#socket.once(event, open)), gone]);
  }

  /** Answers what the command answers. Rejects with an EngineError, or with why the connection is gone. */
  send(command: readonly Argument[]): Promise<Reply> {
    return new Promise((resolve, reject) => {
      if (!this.#ask({ left: 1, isTransaction: false, error: undefined, resolve, reject })) return;
      this.#put(command);
    });
  }

  /**
   * Has commands done with nobody else's between them, and answers what each answered. Rejects with the first error, also when all others
   * were done. The answers' bytes are lent: see Incoming.
   */
  transact(commands: readonly (readonly Argument[])[]): Promise<readonly Reply[]> {
    return new Promise((resolve, reject) => {
      const left = commands.length + 2;
      const answer = (reply: Reply) => resolve(reply as readonly Reply[]);
      if (!this.#ask({ left, isTransaction: true, error: undefined, resolve: answer, reject })) return;
      this.#text += MULTI;
      for (const command of commands) this.#put(command);
      this.#text += EXEC;
    });
  }

  destroy(reason: Error = new Error('the connection was closed')): void {
    if (this.#end === undefined) return;
    this.#end(reason);
    this.#end = undefined;
    this.#socket.destroy();
    const left = this.#questions.splice(0).slice(this.#answered);
    this.#answered = 0;
    for (const { reject } of left) reject(reason);
  }

  /** Returns whether it can be asked. */
  #ask(question: Question): boolean {
    if (this.#end === undefined) {
      question.reject(new Error('the connection was closed'));
      return false;
    }
    if (!this.#isTurn) queueMicrotask(() => this.#flush());
    this.#isTurn = true;
    this.#questions.push(question);
    return true;
  }

  #heard(reply: unknown, error: EngineError | undefined): void {
    const question = this.#questions[this.#answered];
    if (question === undefined) throw new Error('it answered what was not asked');
    question.error ??= error;
    if (--question.left > 0) return;
    // Taking off the first each time would move all others.
    if (++this.#answered === MANY) {
      this.#questions.splice(0, MANY);
      this.#answered = 0;
    }
    this.#incoming.whole(this.#questions.length > this.#answered);
    if (question.error === undefined && question.isTransaction) question.error = errorIn(reply as Reply);
    if (question.error !== undefined) question.reject(question.error);
    else question.resolve(question.isTransaction ? (reply as Reply) : own(reply as Reply));
  }

  #put(command: readonly Argument[]): void {
    this.#text += `*${command.length}\r\n`;
    for (const part of command) {
      if (typeof part === 'string') {
        this.#text += `$${utf8Length(part)}\r\n${part}\r\n`;
      } else {
        this.#text += `$${part.length}\r\n`;
        this.#settle();
        this.#copy(part);
        this.#text = '\r\n';
      }
    }
  }

  /** Makes bytes of the text. */
  #settle(): void {
    // UTF-8 has at most three bytes for what a string counts as one.
    if (3 * this.#text.length <= PIECE - this.#length) {
      this.#length += this.#piece.write(this.#text, this.#length);
    } else this.#copy(Buffer.from(this.#text));
    this.#text = '';
  }

  #copy(bytes: Buffer): void {
    for (let done = 0; done < bytes.length; ) {
      if (this.#length === PIECE) this.#write();
      const count = bytes.copy(this.#piece, this.#length, done);
      this.#length += count;
      done += count;
    }
  }

  #flush(): void {
    this.#isTurn = false;
    if (this.#text !== '') this.#settle();
    if (this.#length > 0) this.#write();
  }

  #write(): void {
    const piece = this.#piece;
    const length = this.#length;
    this.#length = 0;
    this.#piece = this.#spare.pop() ?? Buffer.allocUnsafeSlow(PIECE);
    this.#socket.write(piece.subarray(0, length), () => {
      if (this.#spare.length < SPARE) this.#spare.push(piece);
    });
  }
}

/** As Buffer.byteLength, which is a call out of JavaScript. */
function utf8Length(text: string): number {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 127) return Buffer.byteLength(text);
  return text.length;
}

/** The first error within a transaction's answer. */
function errorIn(reply: Reply): Error | undefined {
  const all: readonly unknown[] = listOf(reply);
  const failed = all.find((one) => one instanceof Error);
  return failed instanceof Error ? new EngineError(failed.message) : undefined;
}

/** An answer with bytes of its own. */
function own(reply: Reply): Reply {
  if (reply instanceof Buffer) return Buffer.from(reply);
  return Array.isArray(reply) ? reply.map(own) : reply;
}
