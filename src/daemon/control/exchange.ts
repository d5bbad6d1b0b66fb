import { readFileSync } from 'node:fs';
import { Socket as Stream } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { EACCES, EAGAIN, ECONNREFUSED, EPERM, Errno } from '../../sys/errno.ts';
import { inNetworkOf } from '../../sys/network.ts';
import { attempt } from '../../sys/processes.ts';
import { connectTo, type Socket } from '../../sys/socket.ts';
import { message } from '../../text/message.ts';
import { decode, encode, LineReader } from './messages.ts';

/** Between two tries to connect to a daemon that too many are waiting for, in milliseconds. */
const PAUSE = 10;

/** How long it takes to read what is there already, in milliseconds. */
const MOMENT = 100;

/**
 * Why there is no answer:
 *
 * - `none`: no daemon listens for the mount. It is dead, or a program's own mount.
 * - `unreachable`: it listens where this process may not go.
 * - `silent`: it does not answer in time, for it is stopped, busy or swapped out.
 * - `gone`: it ended before it had answered.
 * - `refused`: it says why it doesn't.
 */
export type NoAnswerKind = 'none' | 'unreachable' | 'silent' | 'gone' | 'refused';

/** Why a daemon did not answer, as the last part of a sentence. */
export class NoAnswer extends Error {
  override name = 'NoAnswer';
  readonly kind: NoAnswerKind;

  constructor(kind: NoAnswerKind, why: string) {
    super(why);
    this.kind = kind;
  }
}

/** Where a daemon listens. */
export interface Address {
  readonly name: string;
  /** A process in its network namespace, or undefined for our own. */
  readonly network: number | undefined;
}

/** How to ask. */
export interface Asking {
  /** Who may answer, beside root. */
  readonly owner: number | undefined;
  /** How long the daemon may keep silent, in milliseconds. */
  readonly patience: number;
  readonly progress?: (value: unknown) => void;
  /** Ends it when it is aborted. */
  readonly signal?: AbortSignal;
}

/** Asks a question, as messages.ts says. Resolves with its answer. Throws NoAnswer. */
export async function exchange(
  address: Address,
  question: Readonly<Record<string, unknown>>,
  { owner, patience, progress, signal }: Asking,
): Promise<unknown> {
  using socket = await connect(address, patience);
  const { uid, pid } = socket.peer;
  if (uid !== 0 && uid !== owner) {
    throw new NoAnswer('none', `process ${pid} of user ${uid} poses as its daemon`);
  }
  const stream = new Stream({ fd: socket.release() });
  return new Promise((answered, failed) => {
    const end = (error: unknown) => {
      failed(error);
      stream.destroy();
    };
    const take = (line: string) => {
      const { progress: value, answer, error } = decode(line);
      if (error !== undefined) failed(new NoAnswer('refused', String(error)));
      else if (answer !== undefined) answered(answer);
      else progress?.(value);
    };
    const lines = new LineReader();
    stream.setEncoding('utf8').on('data', (piece: string) => {
      try {
        for (const line of lines.add(piece)) take(line);
      } catch (error) {
        end(new NoAnswer('refused', `its daemon says what this version does not know: ${message(error)}`));
      }
    });
    stream.on('error', () => stream.destroy());
    stream.on('close', () => failed(new NoAnswer('gone', 'its daemon ended before it had answered')));
    // Each message begins it anew. If it was this process that was stopped, they wait to be read.
    stream.setTimeout(patience, () => {
      const heard = stream.bytesRead;
      setTimeout(() => stream.bytesRead === heard && end(new NoAnswer('silent', silence(pid))), MOMENT);
    });
    signal?.addEventListener('abort', () => stream.destroy());
    stream.write(encode(question));
  });
}

async function connect({ name, network }: Address, patience: number): Promise<Socket> {
  const late = Date.now() + patience;
  for (;;) {
    try {
      return network === undefined ? connectTo(name) : inNetworkOf(network, () => connectTo(name));
    } catch (error) {
      const errno = Errno.from(error);
      if (!(errno instanceof Errno)) throw error;
      if (errno.errno !== EAGAIN || Date.now() >= late) throw cannotConnect(errno, network);
      await sleep(PAUSE);
    }
  }
}

function cannotConnect(error: Errno, network: number | undefined): NoAnswer {
  if (error.errno === EAGAIN) return new NoAnswer('silent', 'too many wait for its daemon already');
  if (error.errno === ECONNREFUSED) return new NoAnswer('gone', 'its daemon has ended');
  if (network === undefined || (error.errno !== EPERM && error.errno !== EACCES)) {
    return new NoAnswer('unreachable', `its daemon can't be reached (${error.message})`);
  }
  const enter = `nsenter --net=/proc/${network}/ns/net`;
  return new NoAnswer(
    'unreachable',
    `its daemon listens in another network namespace, which root may enter with "${enter}"`,
  );
}

function silence(pid: number): string {
  // Source: proc_pid_status(5).
  const status = attempt(() => readFileSync(`/proc/${pid}/status`, 'utf8')) ?? '';
  if (/^State:\tT/m.test(status)) return `its daemon is stopped; "kill -CONT ${pid}" lets it go on`;
  return `its daemon, process ${pid}, does not answer`;
}
