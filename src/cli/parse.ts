import { totalmem } from 'node:os';
import type { NamedFile } from '../daemon/settings.ts';
import { checkName } from '../proc-fs/entries/name.ts';
import { groupNamed, type User, userNamed } from '../sys/users.ts';
import { NOT_UTF_8 } from '../text/not-utf-8.ts';

/*
 * What the values of options are made of. Each throws an Error with a sentence that says what it must be.
 */

/** A file's name, as procCreate takes it. */
export function parseName(text: string): string {
  parsePath(text);
  try {
    checkName(text);
    return text;
  } catch {
    throw new Error('It must have 1 to 255 bytes, no "/" in it, and not be "." or "..".');
  }
}

/** Node.js has no other paths. */
export function parsePath(text: string): string {
  if (text.includes(NOT_UTF_8)) throw new Error('It must be UTF-8.');
  return text;
}

/** Permission bits in octal, as for chmod(1). */
export function parseMode(text: string): number {
  if (!/^[0-7]{1,4}$/.test(text)) throw new Error('It must be an octal number up to 7777, such as 0644.');
  return Number.parseInt(text, 8);
}

/** One of several files, `name[:mode][=size]`, behind those before it. Its name may have each character but for the last of these. */
export function parseFile(text: string, before: readonly NamedFile[] = []): readonly NamedFile[] {
  const [, rest = text, size] = text.match(/^(.*)=([^=]*)$/s) ?? [];
  const [, name = rest, mode] = rest.match(/^(.*):([^:]*)$/s) ?? [];
  const file = {
    name: parseName(name),
    mode: mode === undefined ? undefined : parseMode(mode),
    maxSize: size === undefined ? undefined : parseSize(size),
  };
  return [...before, file];
}

/** The highest stands for "no change" in chown(2) and can't be anybody's. */
const MOST_ID = 2 ** 32 - 2;

/** A user, by number or name. */
export function parseUid(text: string): number {
  return parseId(text, 'user', (name) => userNamed(name)?.uid);
}

/** A group, by number or name. */
export function parseGid(text: string): number {
  return parseId(text, 'group', groupNamed);
}

function parseId(text: string, kind: string, named: (name: string) => number | undefined): number {
  const id = /^\d+$/.test(text) ? Number(text) : named(text);
  if (id !== undefined && id <= MOST_ID) return id;
  throw new Error(`It must be a ${kind}'s name or number.`);
}

/** A user by name, to become. */
export function parseUser(text: string): User {
  const user = userNamed(text);
  if (user !== undefined) return user;
  throw new Error("It must be a user's name.");
}

/** Each worker takes a few MB and may have a CPU of its own; more than 64 would only wait for the mutex. */
export function parseThreads(text: string): number {
  return parseInteger(text, 1, 64);
}

/** A time, in seconds. */
export function parseSeconds(text: string): number {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (value >= 0.1 && value <= 86_400) return value;
  throw new Error('It must be a number of seconds from 0.1 to 86400.');
}

/** One of a few words, which the parser has as `choices`. */
export function parseOneOf<T extends string>(
  choices: readonly T[],
): ((text: string) => T) & { readonly choices: readonly T[] } {
  const parse = (text: string) => {
    const found = choices.find((one) => one === text);
    if (found !== undefined) return found;
    const choice = new Intl.ListFormat('en', { type: 'disjunction' });
    throw new Error(`It must be ${choice.format(choices)}.`);
  };
  return Object.assign(parse, { choices });
}

function parseInteger(text: string, least: number, most: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new Error(`It must be a whole number from ${least} to ${most}.`);
}

const UNITS = ['', 'k', 'm', 'g', 't', 'p'];

/** The most that can be rounded up to whole pages and still be counted exactly. */
const MOST = 2 ** 53 - 4096;

/**
 * A size in bytes, as tmpfs and the GNU tools have it, in capitals or not: a number alone, with % of the machine's memory, with
 * K or KiB, M, G, T, P in powers of 1024, or with kB, MB and so on of 1000. Source: tmpfs(5), "Block size" in the manual of
 * GNU coreutils.
 */
export function parseSize(text: string): number {
  const [, digits = '', unit = '', suffix = '', percent] =
    text.match(/^(\d+(?:\.\d+)?)(?:([kmgtp])(i?b)?|(%))?$/i) ?? [];
  const base = suffix.toLowerCase() === 'b' ? 1000 : 1024;
  const factor = percent === undefined ? base ** UNITS.indexOf(unit.toLowerCase()) : totalmem() / 100;
  const bytes = Math.ceil(Number(digits) * factor);
  if (digits !== '' && bytes > 0 && bytes <= MOST) return bytes;
  throw new Error('It must be a size of 1 byte or more, such as 512M, 1.5GiB, 2GB or 25%.');
}
