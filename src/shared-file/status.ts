import { setTimeout as sleep } from 'node:timers/promises';
import { duration } from '../text/duration.ts';
import { quote } from '../text/quote.ts';
import { type Address, addressText, placeText } from './address.ts';
import { type Aspect, aspectsOf, type Info, replicasOf, versionOf } from './check.ts';
import type { Connection } from './client.ts';
import { infoOf } from './find.ts';
import type { Session } from './session.ts';
import { listOf } from './wire.ts';

/**
 * - `connected`: it answers.
 * - `not answering`: there is a connection, and it is silent.
 * - `not connected`: it is tried again and again.
 * - `file lost`: it answers, and doesn't have the file any more.
 */
export type EngineState = 'connected' | 'not answering' | 'not connected' | 'file lost';

/** How it is with the engine of a file. */
export interface EngineStatus {
  /** Its URL, without user and password. */
  readonly url: string;
  /** What the file is called there. */
  readonly key: string;
  /** Such as `Redis 7.0.15`, as it was heard last. */
  readonly version: string;
  readonly state: EngineState;
  /** Since when it is so: ISO 8601. */
  readonly since: string;
  /** Why it isn't connected, as the last part of a sentence. */
  readonly reason?: string | undefined;
  /** Which one it is of several: host and port. */
  readonly at?: string | undefined;
  /** How long a command without work takes to the engine and back, in milliseconds. */
  readonly roundTrip?: number | undefined;
  /** How many replicas must have a change before it is answered, and how many there are. */
  readonly replicas: { readonly wanted: number; readonly there?: number | undefined };
  /** What isn't as it should be, as before a mount. */
  readonly lacks: readonly Aspect[];
}

/** What an engine said just now. */
interface Heard {
  readonly roundTrip: number;
  readonly info: Info;
  /** Of the file. */
  readonly pages: number;
  readonly max: number;
}

/** How long an engine may take to answer before it is said to be silent, in milliseconds: who asks is to have an answer at once. */
const MOMENT = 200;

/** Asks an engine how it is, and what a file takes there and may take, in pages. Waits for no longer than a moment, and keeps what was heard last. */
export class EngineLook {
  readonly #session: Session;
  readonly #on: { readonly address: Address; readonly key: string; readonly replicas: number };
  #version: string;
  #pages = 0;
  #max: number;

  constructor(
    session: Session,
    on: { readonly address: Address; readonly key: string; readonly replicas: number },
    { version, max }: { version: string; max: number },
  ) {
    this.#session = session;
    this.#on = on;
    this.#version = version;
    this.#max = max;
  }

  async look(): Promise<{ status: EngineStatus; pages: number; max: number }> {
    const { connection } = this.#session.standing;
    const heard = connection === undefined ? undefined : await this.#ask(connection);
    if (heard !== undefined) {
      this.#version = versionOf(heard.info);
      [this.#pages, this.#max] = [heard.pages, heard.max];
    }
    return { status: this.#status(heard), pages: this.#pages, max: this.#max };
  }

  /** What it answers, or undefined when it doesn't within a moment. */
  async #ask(connection: Connection): Promise<Heard | undefined> {
    const asked = async (): Promise<Heard> => {
      const began = performance.now();
      await connection.send(['PING']);
      const roundTrip = performance.now() - began;
      const [info, file] = await Promise.all([
        connection.send(['INFO', 'server', 'memory', 'replication']),
        connection.send(['HMGET', this.#session.key, 'pages', 'max']),
      ]);
      const [pages = 0, max = 0] = listOf(file).map(Number);
      return { roundTrip, info: infoOf(info ?? ''), pages, max };
    };
    const late = new AbortController();
    try {
      return await Promise.race([
        asked().catch(() => undefined),
        sleep(MOMENT, undefined, { signal: late.signal, ref: false }).catch(() => undefined),
      ]);
    } finally {
      late.abort();
    }
  }

  #status(heard: Heard | undefined): EngineStatus {
    const { address, key, replicas } = this.#on;
    const standing = this.#session.standing;
    const { connection, since, trouble } = standing;
    const ago = (at: number) => new Date(Date.now() - performance.now() + at).toISOString();
    const common = { url: addressText(address), key, version: this.#version };
    if (heard === undefined || connection === undefined) {
      const there = { ...common, replicas: { wanted: replicas }, lacks: [] };
      if (standing.isGone) {
        const reason = 'it has lost the file, or has another in its place';
        return { ...there, state: 'file lost', since: ago(since), reason };
      }
      if (connection === undefined) {
        const reason = trouble ?? 'the connection was lost just now';
        return { ...there, state: 'not connected', since: ago(since), reason };
      }
      const reason = 'it does not answer';
      return { ...there, state: 'not answering', since: ago(standing.heard), reason };
    }
    return {
      ...common,
      state: 'connected',
      since: ago(since),
      at: address.kind === 'single' ? undefined : placeText(connection.place),
      roundTrip: heard.roundTrip,
      replicas: { wanted: replicas, there: replicasOf(heard.info) },
      lacks: aspectsOf(heard.info, replicas).filter(({ state }) => state !== 'ok'),
    };
  }
}

/** How it is with an engine, for people, in a line. */
export function engineText({
  url,
  key,
  version,
  state,
  since,
  reason,
  at,
  roundTrip,
  replicas,
}: EngineStatus): string {
  const where = at === undefined ? url : `${url} (${at})`;
  const when = new Date(since).toLocaleString('sv');
  const how = [
    `${state} since ${when}`,
    ...(reason === undefined ? [] : [reason]),
    ...(roundTrip === undefined ? [] : [`round trip ${duration(roundTrip)}`]),
    ...(replicas.there === undefined ? [] : [`replicas ${replicas.there}, ${replicas.wanted} wanted`]),
  ];
  return `${version} at ${where}, file ${quote(key)}: ${how.join(', ')}`;
}
