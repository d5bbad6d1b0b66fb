import { duration } from '../text/duration.ts';
import { size as sizeText } from '../text/size.ts';
import { addressText, placeText } from './address.ts';
import { type Connection, impatient, type Login } from './client.ts';
import { connectFor, infoOf } from './find.ts';
import { keyOf } from './layout.ts';
import { sentenceOf, whyNot } from './why-not.ts';
import type { Reply } from './wire.ts';

/** What a page of 4096 bytes takes of the engine's memory, in bytes: it has sizes of 4096 and 5120, and beside the bytes a header. */
const COST = 1.3;

const OLDEST = 7;

/** What an engine is, as far as it says. */
export interface Engine {
  /** Such as `Redis 7.0.15` or `Valkey 8.0.1`. */
  readonly version: string;
  /** Half of the most memory that it takes, in bytes of a file. */
  readonly defaultSize: number;
}

/** What was looked at of an engine. `FAIL`: no file can be had from it, `found` says why. */
export interface Aspect {
  readonly what: string;
  readonly state: 'ok' | 'warn' | 'FAIL';
  readonly found: string;
  /** What to do about it. */
  readonly remedy?: string | undefined;
}

/** What was found, and what to do about it, as a part of a sentence. */
export function aspectText({ found, remedy }: Aspect): string {
  return remedy === undefined ? found : `${found}; ${remedy}`;
}

/** What INFO says. */
export type Info = Readonly<Record<string, string>>;

/** From how much of its memory on it is said that there is little left. */
const NEARLY = 0.9;

export function versionOf(info: Info): string {
  const { redis_version, valkey_version } = info;
  return valkey_version === undefined ? `Redis ${redis_version}` : `Valkey ${valkey_version}`;
}

/** How many replicas an engine has. */
export function replicasOf(info: Info): number {
  return Number(info.connected_slaves ?? 0);
}

/** The most memory that it takes, in bytes: what it is told, or what its machine has. */
function memoryOf({ maxmemory, total_system_memory }: Info): number {
  return Number(maxmemory) || Number(total_system_memory ?? 0);
}

/** What there is to know of an engine before a file is kept in it, by what it says of itself. */
export function aspectsOf(info: Info, replicas: number): Aspect[] {
  return [version(info), role(info), eviction(info), memory(info), enough(info, replicas)];
}

function version(info: Info): Aspect {
  const [what, is] = ['engine version', versionOf(info)];
  if (Number.parseInt(info.redis_version ?? '0', 10) >= OLDEST) return { what, state: 'ok', found: is };
  const found = `it is ${is}, and Redis ${OLDEST} or newer, or Valkey, is needed`;
  return { what, state: 'FAIL', found };
}

function role({ role: is, master_host, master_port }: Info): Aspect {
  const what = 'engine role';
  if (is === 'master') return { what, state: 'ok', found: 'it may be written to' };
  return {
    ...{ what, state: 'FAIL' },
    found: `it is a replica, which is not to be written to, of ${master_host}:${master_port}`,
    remedy: 'mount on that one, or by its sentinels',
  };
}

/** Without a limit nothing is dropped, whatever the policy is. */
function eviction({ maxmemory_policy: policy, maxmemory }: Info): Aspect {
  const what = 'engine eviction';
  const isLimited = Number(maxmemory ?? 0) > 0;
  const remedy = 'set it to noeviction: redis-cli CONFIG SET maxmemory-policy noeviction';
  if (policy === 'noeviction') return { what, state: 'ok', found: 'maxmemory-policy is noeviction' };
  if (isLimited) {
    return {
      ...{ what, state: 'FAIL', remedy },
      found: `its maxmemory-policy ${policy} would drop parts of the file`,
    };
  }
  const found = `maxmemory-policy is ${policy}, which drops nothing as long as there is no maxmemory`;
  return { what, state: 'ok', found };
}

function memory(info: Info): Aspect {
  const [used, limit] = [Number(info.used_memory ?? 0), Number(info.maxmemory ?? 0)];
  const what = 'engine memory';
  const of = limit > 0 ? 'its maxmemory' : "its machine's, without a maxmemory";
  const found = `${sizeText(used)} in use, of ${sizeText(memoryOf(info))} (${of})`;
  if (used < memoryOf(info) * NEARLY) return { what, state: 'ok', found };
  return { what, state: 'warn', found, remedy: 'raise its maxmemory, or make files shorter' };
}

function enough(info: Info, replicas: number): Aspect {
  const what = 'engine replicas';
  const there = replicasOf(info);
  if (there >= replicas) return { what, state: 'ok', found: String(there) };
  return {
    ...{ what, state: 'FAIL' },
    found: `--replicas ${replicas} is more than the ${there} that it has`,
    remedy: 'wait until they are connected, or lower it',
  };
}

/** Looks whether a file can lie in an engine. Throws an Error with a sentence that has the remedy. */
export async function checkEngine(
  login: Login,
  name: string,
  { timeout, replicas, maxSize }: { timeout: number; replicas: number; maxSize: number | undefined },
): Promise<Engine> {
  const wrong = (text: string) => new Error(`Cannot use ${addressText(login.address)}: ${text}.`);
  let connection: Connection | undefined;
  try {
    connection = impatient(await connectFor(login, keyOf(name), timeout), timeout);
    const info = infoOf(await connection.send(['INFO']));
    const failed = aspectsOf(info, replicas).find(({ state }) => state === 'FAIL');
    if (failed !== undefined) throw wrong(aspectText(failed));
    const most = memoryOf(info);
    const isThere = (await connection.send(['EXISTS', keyOf(name)])) === 1;
    // Who may not tell of changes is to know it now, and not at the first.
    await connection.send(['SPUBLISH', `${keyOf(name)}:hello`, '']);
    if (isThere && maxSize !== undefined) await checkLimit(connection, name, maxSize, wrong);
    if (!isThere && maxSize !== undefined && maxSize * COST > most) {
      throw wrong(
        `it has ${sizeText(most)} of memory, and a file of --max-size ${sizeText(maxSize)} takes up to ${sizeText(Math.ceil(maxSize * COST))}; lower --max-size, or raise its maxmemory`,
      );
    }
    return { version: versionOf(info), defaultSize: most / COST / 2 };
  } catch (error) {
    throw sentenceOf(login, error);
  } finally {
    connection?.destroy();
  }
}

/**
 * What there is to know of an engine before a file is kept in it, for who looks what is missing: whether it answers, and how soon, and what it says of
 * itself. Throws nothing.
 */
export async function examineEngine(login: Login, timeout: number): Promise<Aspect[]> {
  let connection: Connection | undefined;
  try {
    connection = impatient(await connectFor(login, keyOf('any'), timeout), timeout);
    const began = performance.now();
    await connection.send(['PING']);
    const took = performance.now() - began;
    const at = login.address.kind === 'single' ? '' : `, at ${placeText(connection.place)}`;
    const found = `it answers within ${duration(took)}${at}`;
    const info = infoOf(await connection.send(['INFO']));
    return [{ what: 'engine', state: 'ok', found }, ...aspectsOf(info, 0)];
  } catch (error) {
    const [, found = '', remedy] = whyNot(error, login.address).match(/^(.*?)(?:; ([^;]*))?$/s) ?? [];
    return [{ what: 'engine', state: 'FAIL', found, remedy }];
  } finally {
    connection?.destroy();
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
