import { readFileSync } from 'node:fs';
import { duration } from '../text/duration.ts';
import { quote } from '../text/quote.ts';
import { reason } from '../text/reason.ts';
import type { Address, Place } from './address.ts';

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

/** The package that speaks to engines isn't there. */
export class NoClient extends Error {
  constructor(cause: unknown) {
    super(
      'it needs the package @redis/client, which is not installed; run "npm install @redis/client" beside ramproc',
      {
        cause,
      },
    );
  }
}

/** An engine was asked, and nothing came. */
export class SilentEngine extends Error {
  constructor(ms: number) {
    super(`it did not answer within ${duration(ms)}; look whether it is stopped or busy`);
  }
}

const MULTI = ['MULTI'];
const EXEC = ['EXEC'];

type Package = typeof import('@redis/client');

/** Loaded when it is asked for: it is an optional peer. */
async function load(): Promise<Package> {
  try {
    return await import('@redis/client');
  } catch (error) {
    throw new NoClient(error);
  }
}

/** A connection to one engine. */
export interface Connection {
  /** Where it is. */
  readonly place: Place;
  send(args: readonly Argument[]): Promise<Reply>;
  /** Has commands done with nobody else's between them, and answers what each answered. Throws the first error, also when all others were done. */
  transact(commands: readonly (readonly Argument[])[]): Promise<readonly Reply[]>;
  /** Calls `heard` with each message of a channel. */
  listen(channel: string, heard: (message: string) => void): Promise<void>;
  /** Resolves with the reason when it is gone. */
  readonly closed: Promise<Error>;
  /** Ends it at once: what was sent and not answered fails. */
  destroy(): void;
}

export interface Login {
  readonly address: Address;
  readonly password: string | undefined;
}

/**
 * Connects to an engine. It does not connect again by itself, nor send anything again: the session does, which knows what that
 * means. Throws an EngineError, a NoClient, or an error of Node's.
 */
export async function connect(
  { address, password }: Login,
  place: Place,
  timeout: number,
  { isSentinel = false } = {},
): Promise<Connection> {
  const { createClient, RESP_TYPES, ErrorReply } = await load();
  const common = { connectTimeout: timeout, reconnectStrategy: false as const };
  const tcp = address.tls ? { tls: true as const, ...(await certificates(address)) } : {};
  const client = createClient({
    socket: 'path' in place ? { ...common, path: place.path, tls: false } : { ...common, ...place, ...tcp },
    ...(isSentinel ? {} : login(address, password)),
    RESP: 2,
    disableClientInfo: true,
    disableOfflineQueue: true,
    // The session looks after time, and a timer for each command would cost as much as the rest of it.
    commandOptions: { timeout: 0, typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } },
  });
  const closed = new Promise<Error>((end) => {
    client.on('error', end);
    client.on('end', () => end(new Error('the connection was closed')));
  });
  const understood = (error: unknown): unknown =>
    error instanceof ErrorReply ? new EngineError(error.message) : error;
  // Its own timeout is for the network's part only.
  const giveUp = setTimeout(() => client.destroy(), timeout);
  const began = performance.now();
  try {
    await client.connect();
  } catch (error) {
    if (client.isOpen) client.destroy();
    throw performance.now() - began < timeout ? understood(error) : new SilentEngine(timeout);
  } finally {
    clearTimeout(giveUp);
  }
  let listener: ReturnType<typeof client.duplicate> | undefined;
  return {
    place,
    closed,
    async send(args) {
      try {
        // Its own types don't know what a script answers.
        return (await client.sendCommand(args as Argument[])) as unknown as Reply;
      } catch (error) {
        throw understood(error);
      }
    },
    async transact(commands) {
      const queued = [MULTI, ...commands].map((command) => client.sendCommand(command as Argument[]));
      const done = client.sendCommand(EXEC);
      // What is wrong with one of them says more than that nothing was done therefore.
      done.catch(() => {});
      try {
        await Promise.all(queued);
        const answers = (await done) as unknown as readonly Reply[];
        const failed: unknown = answers.find((answer: unknown) => answer instanceof Error);
        if (failed !== undefined) throw failed;
        return answers;
      } catch (error) {
        throw understood(error);
      }
    },
    async listen(channel, heard) {
      if (listener === undefined) {
        listener = client.duplicate();
        const lost = () => {
          if (client.isOpen) client.destroy();
        };
        // The last is when a cluster gives the channel's slot to another node.
        listener.on('error', lost).on('end', lost).on('sharded-channel-moved', lost);
        await listener.connect();
      }
      await listener.sSubscribe(channel, heard);
    },
    destroy() {
      if (listener?.isOpen) listener.destroy();
      if (client.isOpen) client.destroy();
    },
  };
}

/** The same connection for who has no clock of its own: when an answer takes longer than `ms`, it is ended, and the call fails. */
export function impatient(connection: Connection, ms: number): Connection {
  return {
    ...connection,
    async send(args) {
      let isLate = false;
      const giveUp = setTimeout(() => {
        isLate = true;
        connection.destroy();
      }, ms);
      try {
        return await connection.send(args);
      } catch (error) {
        throw isLate ? new SilentEngine(ms) : error;
      } finally {
        clearTimeout(giveUp);
      }
    },
  };
}

/** Whom to trust, and who this is. */
async function certificates({ ca, cert, key }: Address) {
  const { rootCertificates } = await import('node:tls');
  return {
    ...(ca === undefined ? {} : { ca: [...rootCertificates, readPem(ca)] }),
    ...(cert === undefined || key === undefined ? {} : { cert: readPem(cert), key: readPem(key) }),
  };
}

function readPem(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new Error(`${quote(file)} can't be read: ${reason(error, 'name another')}`, { cause: error });
  }
}

function login({ username, database }: Address, password: string | undefined) {
  return {
    database,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
  };
}
