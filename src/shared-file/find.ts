import { addressText, type Place, placeText } from './address.ts';
import { type Connection, connect, impatient, type Login } from './client.ts';
import { EngineError, type Reply } from './wire.ts';

/** Answers with which an engine says that another is asked, or that it can't be asked now. */
const ELSEWHERE =
  /^(MOVED|ASK|READONLY|LOADING|CLUSTERDOWN|TRYAGAIN|MASTERDOWN|BUSY|NOSCRIPT|NOREPLICAS|UNBLOCKED)$/;

export function isElsewhere(error: unknown): boolean {
  if (!(error instanceof EngineError)) return false;
  // What a script is stopped by that asks for a key which another node has by now.
  return ELSEWHERE.test(error.code) || (error.code === 'ERR' && /non local key/.test(error.rest));
}

/**
 * Connects to the engine that may change a file: the one there is, the primary that the sentinels name, or the node of a cluster that
 * has the file's slot. Throws what the last that was asked failed with.
 */
export async function connectFor(login: Login, key: string, timeout: number): Promise<Connection> {
  const { address } = login;
  let failure: unknown = new Error(`there is nobody at ${addressText(address)}`);
  for (const place of address.places) {
    try {
      switch (address.kind) {
        case 'single':
          return await connect(login, place, timeout);
        case 'sentinel':
          return await connect(login, await primary(login, place, timeout), timeout);
        case 'cluster':
          return await nodeOf(login, place, key, timeout);
      }
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

/** Which engine a sentinel takes for the primary. */
async function primary(login: Login, sentinel: Place, timeout: number): Promise<Place> {
  const connection = impatient(await connect(login, sentinel, timeout, { isSentinel: true }), timeout);
  try {
    const name = login.address.name ?? '';
    const answer = await connection.send(['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', name]);
    if (!Array.isArray(answer)) throw new Error(`the sentinel at ${placeText(sentinel)} knows no "${name}"`);
    const [host, port] = answer.map(String);
    return { host: host ?? '', port: Number(port) };
  } finally {
    connection.destroy();
  }
}

/** The node of a cluster that has the slot of a key: it says so itself, or names another. */
async function nodeOf(login: Login, first: Place, key: string, timeout: number): Promise<Connection> {
  let place = first;
  for (let hops = 0; hops < 8; hops++) {
    const connection = await connect(login, place, timeout);
    try {
      await impatient(connection, timeout).send(['EXISTS', key]);
      return connection;
    } catch (error) {
      connection.destroy();
      if (!(error instanceof EngineError && error.code === 'MOVED')) throw error;
      place = moved(error, place);
    }
  }
  throw new Error(`the nodes at ${addressText(login.address)} don't agree on who has the file`);
}

/** Where an answer `MOVED slot host:port` points; without a host it is the one that was asked. */
function moved({ rest }: EngineError, asked: Place): Place {
  const [, host = '', port = '0'] = rest.match(/^\d+ (.*):(\d+)/) ?? [];
  return { host: host || ('host' in asked ? asked.host : ''), port: Number(port) };
}

/** The lines of INFO, by their names. */
export function infoOf(reply: Reply): Readonly<Record<string, string>> {
  const lines = String(reply).split('\r\n');
  return Object.fromEntries(
    lines.flatMap((line) => (line.includes(':') ? [line.split(/:(.*)/s).slice(0, 2)] : [])),
  );
}
