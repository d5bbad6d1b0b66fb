import { readFileSync } from 'node:fs';
import { connect as connectPlain } from 'node:net';
import { duration } from '../text/duration.ts';
import { quote } from '../text/quote.ts';
import { reason } from '../text/reason.ts';
import type { Address, Place } from './address.ts';
import { type Argument, type Decoders, type Reply, Wire } from './wire.ts';

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

type Package = typeof import('@redis/client');

/** Loaded when it is asked for: it is an optional peer. */
async function load(): Promise<Package & Decoders> {
  try {
    return {
      ...(await import('@redis/client')),
      ...(await import('@redis/client/dist/lib/RESP/decoder.js')),
    };
  } catch (error) {
    throw new NoClient(error);
  }
}

/** A connection to one engine. */
export interface Connection {
  /** Where it is. */
  readonly place: Place;
  send(args: readonly Argument[]): Promise<Reply>;
  /**
   * Has commands done with nobody else's between them, and answers what each answered. Throws the first error, also when all others were
   * done. The answers' bytes are lent: they are others once anything else was waited for.
   */
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

/** How long a connection is silent before the kernel looks whether its other end is there, in milliseconds. */
const KEEP_ALIVE = 5000;

/**
 * Connects to an engine. It does not connect again by itself, nor send anything again: the session does, which knows what that
 * means. Throws an EngineError, a NoClient, a SilentEngine, or an error of Node's.
 *
 * Of the client package it has what takes answers apart, and what hears channels. Its own commands go out in the turn of the event loop after
 * that in which they were given, it makes four promises of a transaction and 64 KiB for whatever comes: a read of 4 KiB took a third more.
 */
export async function connect(
  { address, password }: Login,
  place: Place,
  timeout: number,
  { isSentinel = false } = {},
): Promise<Connection> {
  const { createClient, ...decoders } = await load();
  const tls = address.tls && !('path' in place) ? await import('node:tls') : undefined;
  const trust = tls === undefined ? {} : await certificates(address);
  const to = { ...place, noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE };
  // The types of TLS know no `onread`, which its documentation has.
  const wire = new Wire(
    (onread) => tls?.connect({ ...to, ...trust, ...{ onread } }) ?? connectPlain({ ...to, onread }),
    decoders,
  );
  const giveUp = setTimeout(() => wire.destroy(new SilentEngine(timeout)), timeout);
  try {
    await wire.opened(tls === undefined ? 'connect' : 'secureConnect');
    if (!isSentinel) for (const command of entering(address, password)) await wire.send(command);
  } catch (error) {
    wire.destroy();
    throw error;
  } finally {
    clearTimeout(giveUp);
  }
  const destroy = () => wire.destroy();
  let listener: ReturnType<typeof createClient> | undefined;
  return {
    place,
    closed: wire.closed,
    send: (args) => wire.send(args),
    transact: (commands) => wire.transact(commands),
    async listen(channel, heard) {
      if (listener === undefined) {
        const common = { connectTimeout: timeout, reconnectStrategy: false as const };
        listener = createClient({
          socket:
            tls === undefined
              ? { ...common, ...place }
              : { ...common, ...place, ...trust, tls: true as const },
          ...login(address, password),
          RESP: 2,
          disableClientInfo: true,
        });
        // The last is when a cluster gives the channel's slot to another node.
        listener.on('error', destroy).on('end', destroy).on('sharded-channel-moved', destroy);
        await listener.connect();
      }
      await listener.sSubscribe(channel, heard);
    },
    destroy() {
      if (listener?.isOpen) listener.destroy();
      destroy();
    },
  };
}

/** The commands with which a connection begins. */
function entering({ username, database }: Address, password: string | undefined): string[][] {
  const commands: string[][] = [];
  if (username !== undefined) commands.push(['AUTH', username, password ?? '']);
  else if (password !== undefined) commands.push(['AUTH', password]);
  if (database !== 0) commands.push(['SELECT', String(database)]);
  return commands;
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
