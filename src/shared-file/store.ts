import { setTimeout as sleep } from 'node:timers/promises';
import { NOBODY } from '../proc-fs/caller.ts';
import type { ProcFile } from '../proc-fs/handler.ts';
import { UserSliceReader, UserSliceWriter } from '../proc-fs/user-slice.ts';
import { addressText, type Place } from './address.ts';
import { checkEngine } from './check.ts';
import { type Connection, connect, impatient, type Login } from './client.ts';
import { connectFor } from './find.ts';
import { SharedHandler } from './handler.ts';
import { keyOf, nameOf, PREFIX } from './layout.ts';
import { Session } from './session.ts';
import { sentenceOf } from './why-not.ts';
import { listOf, type Reply } from './wire.ts';

const MIB = 1 << 20;
const TIMEOUT = 5000;
const ZEROS = Buffer.alloc(MIB);

/** Who has a file mounted. */
export interface User {
  readonly host: string;
  readonly pid: number;
  readonly dir: string;
}

/** A file in an engine. Sizes are bytes. */
export interface StoredFile {
  readonly key: string;
  readonly size: number;
  readonly used: number;
  readonly maxSize: number;
  readonly users: readonly User[];
}

/** The files in an engine, or in all nodes of a cluster, by their names. Throws an Error with a sentence. */
export async function storedFiles(login: Login): Promise<StoredFile[]> {
  return onNodes(login, async (connection) => {
    const found: StoredFile[] = [];
    let cursor = '0';
    do {
      const answer = await connection.send([
        'SCAN',
        cursor,
        'MATCH',
        `${PREFIX}*}`,
        'COUNT',
        '1000',
        'TYPE',
        'hash',
      ]);
      const [next, keys] = listOf(answer);
      for (const key of listOf(keys ?? [])) {
        const name = nameOf(String(key));
        const file = name === undefined ? undefined : await storedFile(connection, name);
        if (file !== undefined) found.push(file);
      }
      cursor = String(next);
    } while (cursor !== '0');
    return found;
  });
}

/** One of them, or undefined when there is none. */
export async function findStored(login: Login, key: string): Promise<StoredFile | undefined> {
  return withConnection(login, key, (connection) => storedFile(connection, key));
}

/** Removes a file. Who has it mounted gets EIO. */
export async function removeStored(login: Login, key: string): Promise<void> {
  await withConnection(login, key, async (connection) => {
    const chunks = listOf(await connection.send(['ZRANGE', `${keyOf(key)}:chunks`, '0', '-1']));
    // First what makes it a file, so that nobody takes half of it for a whole.
    const names = ['', ':chunks', ':locks', ':sessions', ...chunks.map((n) => `:${n}`)];
    for (let at = 0; at < names.length; at += 1000) {
      await connection.send(['UNLINK', ...names.slice(at, at + 1000).map((name) => keyOf(key) + name)]);
    }
  });
}

/**
 * Hands on the bytes of a file, one MiB after the other, and where it is a hole nothing but its length. Throws an Error with a sentence,
 * also when it was changed meanwhile.
 */
export async function* savedBytes(
  login: Login,
  key: string,
): AsyncGenerator<{ offset: number; bytes: Buffer }> {
  const { session, handler } = await openStored(login, key, undefined);
  try {
    const before = await handler.getattr();
    for (let offset = 0; offset < before.size; offset += MIB) {
      const bytes = Buffer.alloc(Math.min(MIB, before.size - offset));
      const to = new UserSliceWriter().place(bytes, 0, bytes.length);
      await handler.read(FILE, to, offset);
      yield { offset, bytes: bytes.subarray(0, to.transferred) };
    }
    const after = await handler.getattr();
    const same = (['mtime', 'ctime'] as const).every(
      (time) => before[time].sec === after[time].sec && before[time].nsec === after[time].nsec,
    );
    if (!same) throw new Error(`the file "${key}" was changed meanwhile; save it again`);
  } finally {
    await session.end();
  }
}

/** Puts bytes into a file in the place of what it has, and makes it when it isn't there. Throws an Error with a sentence. */
export async function loadBytes(
  login: Login,
  key: string,
  maxSize: number | undefined,
  source: AsyncIterable<Buffer>,
): Promise<number> {
  const { session, handler } = await openStored(login, key, { maxSize });
  try {
    await handler.truncate(0);
    let offset = 0;
    for await (const chunk of source) {
      for (let at = 0; at < chunk.length; ) {
        const length = Math.min(MIB, chunk.length - at);
        // Holes stay holes.
        if (ZEROS.compare(chunk, at, at + length, 0, length) === 0) {
          at += length;
          offset += length;
          continue;
        }
        const from = new UserSliceReader().place(chunk, at, length);
        const count = await handler.write(FILE, from, offset);
        at += count;
        offset += count;
      }
    }
    await handler.truncate(offset);
    return offset;
  } finally {
    await session.end();
  }
}

const FILE: ProcFile = { flags: 0, uid: NOBODY.uid, pos: 0, privateData: undefined };

/** A session of a command's own; it makes the file only where it is told what with. */
async function openStored(login: Login, key: string, make: { maxSize: number | undefined } | undefined) {
  const engine = await checkEngine(login, key, { timeout: TIMEOUT, replicas: 0, maxSize: make?.maxSize });
  if (make === undefined && (await findStored(login, key)) === undefined) {
    throw new Error(`there is no file "${key}" at ${addressText(login.address)}`);
  }
  const who = { host: '', pid: process.pid };
  const common = { timeout: TIMEOUT, replicas: 0, recreate: false, dir: '', who, say: () => {} };
  const session = new Session({ ...login, key, ...common });
  const max = Math.ceil((make?.maxSize ?? engine.defaultSize) / 4096);
  const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  await session.begin(make === undefined ? undefined : { max, mode: 0o666, ...owner });
  return { session, handler: new SharedHandler(session, false) };
}

async function storedFile(connection: Connection, key: string): Promise<StoredFile | undefined> {
  const fields = ['gen', 'size', 'pages', 'max'];
  const [gen, size, pages, max] = listOf(await connection.send(['HMGET', keyOf(key), ...fields])).map(String);
  if (gen === undefined || gen === 'null') return undefined;
  const [seconds] = listOf(await connection.send(['TIME'])).map(Number);
  const sessions = listOf(await connection.send(['HVALS', `${keyOf(key)}:sessions`]));
  const users = sessions.flatMap((record): User[] => {
    const [, until, who = '{}'] = String(record).match(/^(\d+) (.*)$/s) ?? [];
    const { host = '', pid = 0, dir = '' } = JSON.parse(who);
    return Number(until) > (seconds ?? 0) * 1000 && dir !== '' ? [{ host, pid, dir }] : [];
  });
  return { key, size: Number(size), used: Number(pages) * 4096, maxSize: Number(max) * 4096, users };
}

async function withConnection<T>(
  login: Login,
  key: string,
  use: (connection: Connection) => Promise<T>,
): Promise<T> {
  try {
    const connection = impatient(await connectFor(login, keyOf(key), TIMEOUT), TIMEOUT);
    try {
      return await use(connection);
    } finally {
      connection.destroy();
      // Else its end would be cut short.
      await sleep(0);
    }
  } catch (error) {
    throw sentenceOf(login, error);
  }
}

/** What `use` finds on each engine that may have files. */
async function onNodes<T>(login: Login, use: (connection: Connection) => Promise<T[]>): Promise<T[]> {
  return withConnection(login, 'any', async (first) => {
    if (login.address.kind !== 'cluster') return use(first);
    const all: T[] = [];
    for (const place of primaries(await first.send(['CLUSTER', 'NODES']))) {
      const connection = impatient(await connect(login, place, TIMEOUT), TIMEOUT);
      try {
        all.push(...(await use(connection)));
      } finally {
        connection.destroy();
      }
    }
    return all;
  });
}

/** Source: https://redis.io/docs/latest/commands/cluster-nodes. */
function primaries(nodes: Reply): Place[] {
  const lines = String(nodes).split('\n');
  return lines.flatMap((line): Place[] => {
    const [, address = '', flags = ''] = line.split(' ');
    const [, host = '', port = ''] = address.match(/^(.*):(\d+)@/) ?? [];
    return /\bmaster\b/.test(flags) && host !== '' ? [{ host, port: Number(port) }] : [];
  });
}
