import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { quote } from '../text/quote.ts';
import { reason } from '../text/reason.ts';

/**
 * A machine's name and port, or a socket's path.
 *
 * @example
 * ```ts
 * const place: Place = { host: 'localhost', port: 6379 };
 * ```
 */
export type Place = { readonly host: string; readonly port: number } | { readonly path: string };

/**
 * Where an engine is, without its password.
 *
 * @example
 * ```ts
 * const on: Address = { kind: 'single', places: [{ path: '/run/redis.sock' }], tls: false, database: 0 };
 * ```
 */
export interface Address {
  /** One engine, the sentinels that know which, or some nodes of a cluster. */
  readonly kind: 'single' | 'sentinel' | 'cluster';
  /** Where to ask, one after the other. */
  readonly places: readonly Place[];
  /** What sentinels call it. */
  readonly name?: string | undefined;
  /** Whether TLS is spoken. */
  readonly tls: boolean;
  /** A file with the certificates to trust beside those that Node has, PEM; absolute. */
  readonly ca?: string | undefined;
  /** A file with the certificate to show, for engines that want one, PEM; absolute. */
  readonly cert?: string | undefined;
  /** A file with its key, PEM; absolute. */
  readonly key?: string | undefined;
  /** Who logs in. Default: the engine's default user. */
  readonly username?: string | undefined;
  /** The number of its database; 0 in a cluster. */
  readonly database: number;
}

/** What a URL says. */
export interface Target {
  readonly address: Address;
  readonly password: string | undefined;
}

const FORMS =
  'It must be redis://HOST:PORT/DATABASE, rediss:// for TLS, unix:///SOCKET, redis-sentinel://HOST:PORT,HOST:PORT/NAME or redis-cluster://HOST:PORT.';

/** Throws an Error with a sentence that says what it must be, and has nothing of the URL in it. */
export function parseTarget(url: string): Target {
  const [, scheme = '', tls = '', kind = '', user, password, rest = '', query = ''] =
    url.match(
      /^(redis(s?)(?:-(sentinel|cluster))?|unix):\/\/(?:([^:@/]*)(?::([^@/]*))?@)?([^?#]*)(?:\?([^#]*))?$/,
    ) ?? [];
  if (scheme === '') throw new Error(FORMS);
  const parameters = new URLSearchParams(query);
  for (const name of parameters.keys())
    if (!['ca', 'cert', 'key', 'db'].includes(name)) throw new Error(FORMS);
  const file = (name: string) => {
    const said = parameters.get(name);
    return said ? resolve(said) : undefined;
  };
  const [hosts = '', ...path] = scheme === 'unix' ? [rest] : rest.split('/');
  const name = kind === 'sentinel' ? path.shift() : undefined;
  const database = Number(parameters.get('db') ?? (path[0] || 0));
  const places =
    scheme === 'unix' ? [{ path: decode(hosts) }] : hosts.split(',').map((host) => place(host, kind));
  const isRight =
    Number.isInteger(database) &&
    database >= 0 &&
    path.length <= 1 &&
    name !== '' &&
    places.every((one) => ('path' in one ? one.path.startsWith('/') : one.host !== '')) &&
    !(kind === 'cluster' && database !== 0) &&
    parameters.has('cert') === parameters.has('key') &&
    !(kind === 'sentinel' && name === undefined);
  if (!isRight) throw new Error(FORMS);
  return {
    address: {
      kind: kind === 'sentinel' || kind === 'cluster' ? kind : 'single',
      places,
      name: name && decode(name),
      tls: tls === 's',
      ca: file('ca'),
      cert: file('cert'),
      key: file('key'),
      username: user ? decode(user) : undefined,
      database,
    },
    password: password === undefined ? undefined : decode(password),
  };
}

function place(text: string, kind: string): Place {
  const [, host = '', port] = text.match(/^(\[[\da-f:]+\]|[^:[\]]+)(?::(\d{1,5}))?$/i) ?? [];
  return { host: host.replace(/^\[|\]$/g, ''), port: Number(port ?? (kind === 'sentinel' ? 26379 : 6379)) };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new Error(FORMS);
  }
}

/** A place for people. */
export function placeText(place: Place): string {
  if ('path' in place) return place.path;
  return `${place.host.includes(':') ? `[${place.host}]` : place.host}:${place.port}`;
}

/** An address for people: no password, and no user. */
export function addressText({ kind, places, tls, name, database }: Address): string {
  const [first] = places;
  if (first !== undefined && 'path' in first)
    return `unix://${first.path}${database === 0 ? '' : `?db=${database}`}`;
  const path = [...(name === undefined ? [] : [name]), ...(database === 0 ? [] : [database])];
  return `redis${tls ? 's' : ''}${kind === 'single' ? '' : `-${kind}`}://${[places.map(placeText).join(','), ...path].join('/')}`;
}

/** The first line of a file with a password. Throws an Error with a sentence. */
export function readPassword(file: string): string {
  try {
    const [line = ''] = readFileSync(file, 'utf8').split('\n');
    return line.replace(/\r$/, '');
  } catch (error) {
    throw new Error(
      `Cannot read the password from ${quote(file)}: ${reason(error, 'give --password-file a file that you may read')}.`,
      { cause: error },
    );
  }
}
