import { once } from 'node:events';
import type { Socket as Stream } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import koffi from 'koffi';
import { randomText } from '../../sys/random.ts';
import { listenOn, type Socket } from '../../sys/socket.ts';
import { message } from '../../text/message.ts';
import { quote } from '../../text/quote.ts';
import {
  decode,
  encode,
  LineReader,
  namePrefix,
  PROTOCOL,
  type Question,
  type Questions,
} from './messages.ts';

/** How many connections are accepted before the event loop has its turn. */
const AT_ONCE = 16;

/** When accepting fails, as without free descriptors, how long until the next try, in milliseconds. */
const PAUSE = 100;

/** How long a client may take to send its question, in milliseconds. */
const PATIENCE = 10_000;

/** How long a client may take to read its last answer when the daemon ends, in milliseconds. */
const GRACE = 500;

/** What comes along with a question. It is whatever the client sent. */
export type Input = Readonly<Record<string, unknown>>;

/**
 * Answers each question: what it returns is the answer, what it yields before is progress, and what it throws is told as the
 * reason why there is no answer. Nothing more is asked of it while its client doesn't read. `gone` is aborted when the client
 * is gone, and `uid` says whose it is: this process's own user's, or root's.
 */
export type Answers = {
  readonly [Q in Question]: (
    input: Input,
    gone: AbortSignal,
    uid: number,
  ) =>
    | Promise<Questions[Q]['answer']>
    | AsyncGenerator<Questions[Q]['progress'], Questions[Q]['answer'], undefined>;
};

/** The daemon's end of the control channel: see messages.ts. Lives on the event loop of the thread that makes it. */
export class ControlServer implements AsyncDisposable {
  readonly #answers: Answers;
  readonly #listening = new Set<Disposable>();
  readonly #clients = new Set<Stream>();

  constructor(answers: Answers) {
    this.#answers = answers;
  }

  /** Lets commands find it by a mount's device number. Disposing the answer ends that. Throws an Errno. */
  listen(device: string): Disposable {
    const socket = listenOn(namePrefix(device) + randomText(8));
    let failing = false;
    const watch = () => {
      try {
        for (let count = 0; count < AT_ONCE; count++) {
          const client = socket.accept();
          if (client === undefined) return;
          failing = false;
          this.#welcome(client);
        }
      } catch (error) {
        if (!failing) console.error(`ramproc: No command can be answered now: ${message(error)}.`);
        failing = true;
        // The connection still waits, and would wake us again at once.
        poll.stop();
        setTimeout(
          () => this.#listening.has(listening) && poll.start({ readable: true }, watch),
          PAUSE,
        ).unref();
      }
    };
    const poll = koffi.node.poll(socket.fd, { readable: true }, watch);
    const listening = {
      [Symbol.dispose]: () => {
        if (!this.#listening.delete(listening)) return;
        poll.close();
        socket[Symbol.dispose]();
      },
    };
    this.#listening.add(listening);
    return listening;
  }

  #welcome(client: Socket): void {
    const { uid } = client.peer;
    // Loaded with the first of them.
    const { Socket: Stream } = process.getBuiltinModule('node:net');
    const stream = new Stream({ fd: client.release() });
    this.#clients.add(stream);
    stream.on('close', () => this.#clients.delete(stream));
    stream.on('error', () => stream.destroy());
    stream.setTimeout(PATIENCE, () => stream.destroy());
    const owner = process.geteuid?.();
    if (uid === 0 || uid === owner) this.#listenTo(stream, uid);
    else end(stream, { error: `only user ${owner} and root may ask its daemon` });
  }

  #listenTo(stream: Stream, uid: number): void {
    const lines = new LineReader();
    const gone = new AbortController();
    let asked = false;
    stream.on('close', () => gone.abort());
    stream.setEncoding('utf8').on('data', (piece: string) => {
      if (asked) return;
      try {
        const [line] = lines.add(piece);
        if (line === undefined) return;
        asked = true;
        stream.setTimeout(0);
        void this.#answer(stream, line, gone.signal, uid);
      } catch (error) {
        asked = true;
        end(stream, { error: message(error) });
      }
    });
  }

  async #answer(stream: Stream, line: string, gone: AbortSignal, uid: number): Promise<void> {
    try {
      const asked = this.#ask(line, gone, uid);
      const answer = 'next' in asked ? await this.#progress(stream, asked, gone) : await asked;
      if (!gone.aborted) end(stream, { answer });
    } catch (error) {
      if (!gone.aborted) end(stream, { error: message(error) });
    }
  }

  /** Tells of progress, up to the answer or until the client is gone. */
  async #progress(
    stream: Stream,
    steps: AsyncGenerator<unknown, unknown, undefined>,
    gone: AbortSignal,
  ): Promise<unknown> {
    try {
      for (let step = await steps.next(); ; step = await steps.next()) {
        if (step.done) return step.value;
        if (gone.aborted) return undefined;
        if (!stream.write(encode({ progress: step.value }))) await once(stream, 'drain', { signal: gone });
      }
    } finally {
      await steps.return(undefined as never);
    }
  }

  #ask(line: string, gone: AbortSignal, uid: number): ReturnType<Answers[Question]> {
    const { protocol, question, ...input } = decode(line);
    if (isOneOf(this.#answers, question)) return this.#answers[question](input, gone, uid);
    throw new Error(unknown(question, protocol));
  }

  /** Nobody finds it any more; who was answered last has a moment to read it. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const listening of this.#listening) listening[Symbol.dispose]();
    const closed = [...this.#clients].map((stream) => new Promise((done) => stream.once('close', done)));
    await Promise.race([Promise.all(closed), sleep(GRACE, undefined, { ref: false })]);
    for (const stream of this.#clients) stream.destroy();
  }
}

/** The last message to a client. It closes, or loses its connection when it doesn't. */
function end(stream: Stream, last: Readonly<Record<string, unknown>>): void {
  stream.setTimeout(PATIENCE);
  stream.resume().end(encode(last));
}

function isOneOf(answers: Answers, question: unknown): question is Question {
  return typeof question === 'string' && Object.hasOwn(answers, question);
}

function unknown(question: unknown, protocol: number): string {
  const name = quote(String(question).slice(0, 40));
  if (protocol > PROTOCOL) {
    return `its daemon is of an older version and does not know the question ${name}; mount it again with this one`;
  }
  return `its daemon does not know the question ${name}; use the version of ramproc that mounted it`;
}
