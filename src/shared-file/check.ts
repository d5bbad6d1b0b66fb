import { reason } from '../text/reason.ts';
import { size as sizeText } from '../text/size.ts';
import { addressText } from './address.ts';
import { type Connection, EngineError, type Login, type Reply } from './client.ts';
import { connectFor, infoOf } from './find.ts';
import { keyOf } from './layout.ts';

/** What a page of 4096 bytes takes of the engine's memory, in bytes: it has sizes of 4096 and 5120, and beside the bytes a header. */
const COST = 1.3;

const OLDEST = 7;

/** What an engine is, as far as it says. */
export interface Engine {
  /** Such as `Redis 7.0.15` or `Valkey 8.0.1`. */
  readonly version: string;
  /** The most memory it takes, in bytes: what it is told, or what its machine has. */
  readonly memory: number;
  /** Half of that, in bytes of a file. */
  readonly defaultSize: number;
}

/** What went wrong with an engine, as an Error with a sentence. */
export function sentenceOf({ address }: Login, error: unknown): Error {
  if (error instanceof Error && error.message.startsWith('Cannot use ')) return error;
  return new Error(`Cannot use ${addressText(address)}: ${why(error)}.`, { cause: error });
}

/** Looks whether a file can lie in an engine. Throws an Error with a sentence that has the remedy. */
export async function checkEngine(
  login: Login,
  name: string,
  { timeout, replicas, maxSize }: { timeout: number; replicas: number; maxSize: number | undefined },
): Promise<Engine> {
  const at = addressText(login.address);
  const wrong = (why: string, cause?: unknown) => new Error(`Cannot use ${at}: ${why}.`, { cause });
  let connection: Connection;
  try {
    connection = await connectFor(login, keyOf(name), timeout);
  } catch (error) {
    throw wrong(why(error), error);
  }
  try {
    const info = infoOf(await connection.send(['INFO']));
    const version = `${info.valkey_version === undefined ? 'Redis' : 'Valkey'} ${info.valkey_version ?? info.redis_version}`;
    if (Number.parseInt(info.redis_version ?? '0', 10) < OLDEST) {
      throw wrong(`it is ${version}, and Redis ${OLDEST} or newer, or Valkey, is needed`);
    }
    if (info.role !== 'master') {
      throw wrong(
        `it is a replica, which is not to be written to, of ${info.master_host}:${info.master_port}; mount on that one, or by its sentinels`,
      );
    }
    const policy = info.maxmemory_policy ?? '';
    const limit = Number(info.maxmemory ?? 0);
    if (limit > 0 && policy !== 'noeviction') {
      throw wrong(
        `its maxmemory-policy ${policy} would drop parts of the file; set it to noeviction: redis-cli CONFIG SET maxmemory-policy noeviction`,
      );
    }
    const connected = Number(info.connected_slaves ?? 0);
    if (connected < replicas) {
      throw wrong(
        `--replicas ${replicas} is more than the ${connected} that it has; wait until they are connected, or lower it`,
      );
    }
    const memory = limit > 0 ? limit : Number(info.total_system_memory ?? 0);
    const isThere = (await connection.send(['EXISTS', keyOf(name)])) === 1;
    if (isThere && maxSize !== undefined) await checkLimit(connection, name, maxSize, wrong);
    if (!isThere && maxSize !== undefined && maxSize * COST > memory) {
      throw wrong(
        `it has ${sizeText(memory)} of memory, and a file of --max-size ${sizeText(maxSize)} takes up to ${sizeText(Math.ceil(maxSize * COST))}; lower --max-size, or raise its maxmemory`,
      );
    }
    return { version, memory, defaultSize: memory / COST / 2 };
  } catch (error) {
    throw error instanceof EngineError ? wrong(why(error), error) : error;
  } finally {
    connection.destroy();
  }
}

/** The limit is one for all. */
async function checkLimit(
  connection: Connection,
  name: string,
  maxSize: number,
  wrong: (why: string) => Error,
): Promise<void> {
  const max: Reply = await connection.send(['HGET', keyOf(name), 'max']).catch(() => null);
  const there = Number(max) * 4096;
  if (max === null || there === Math.ceil(maxSize / 4096) * 4096) return;
  throw wrong(
    `its file "${name}" is limited to ${sizeText(there)}, for all who have it mounted; leave --max-size away, or take another --key`,
  );
}

/** Why an engine can't be used, with the remedy, as the rest of a sentence. */
function why(error: unknown): string {
  if (!(error instanceof EngineError)) return reason(error, 'start it, or correct the URL');
  switch (error.code) {
    case 'WRONGPASS':
      return 'it knows no such user and password; give the right ones by --password-file, RAMPROC_PASSWORD or the URL';
    case 'NOAUTH':
      return 'it wants a password; give it by --password-file, RAMPROC_PASSWORD or the URL';
    case 'NOPERM':
      return `its user may not do what is needed (${error.rest}); allow it by ACL SETUSER: +@all ~ramproc:* &ramproc:*`;
    case 'ERR':
      return /AUTH.*without any password/.test(error.rest)
        ? 'it has no password, and one was given; leave it away'
        : error.rest;
    default:
      return error.message;
  }
}
