import { totalmem } from 'node:os';
import { InvalidArgumentError } from 'commander';
import { type Settings, type Transport, transports } from '../daemon/settings.ts';
import { NOT_UTF_8 } from '../mount/mount-point.ts';
import { isMountWord } from '../mount/options.ts';
import { checkName } from '../proc-fs/proc-dir-entry.ts';
import { type IoMode, ioModes } from '../ram-file/module.ts';

/** A file's name, as procCreate takes it. */
export function parseName(text: string): string {
  if (text.includes(NOT_UTF_8)) throw new InvalidArgumentError('It must be UTF-8.');
  try {
    checkName(text);
    return text;
  } catch {
    throw new InvalidArgumentError('It must have 1 to 255 bytes, no "/" in it, and not be "." or "..".');
  }
}

/** Permission bits in octal, as for chmod(1). */
export function parseMode(text: string): number {
  if (!/^[0-7]{1,4}$/.test(text))
    throw new InvalidArgumentError('It must be an octal number up to 7777, such as 0644.');
  return Number.parseInt(text, 8);
}

/** A user's or group's number. The highest stands for "no change" in chown(2) and can't be anybody's. */
export function parseId(text: string): number {
  return parseInteger(text, 0, 2 ** 32 - 2);
}

/** Each worker takes a few MB and may have a CPU of its own; more than 64 would only wait for the mutex. */
export function parseThreads(text: string): number {
  return parseInteger(text, 1, 64);
}

export function parseTransport(text: string): Transport {
  return parseOneOf(transports, text);
}

export function parseIo(text: string): IoMode {
  return parseOneOf(ioModes, text);
}

function parseOneOf<T extends string>(known: readonly T[], text: string): T {
  const found = known.find((one) => one === text);
  if (found === undefined) throw new InvalidArgumentError(`It must be ${known.join(' or ')}.`);
  return found;
}

function parseInteger(text: string, least: number, most: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`);
}

/** A size as tmpfs takes it: bytes, or with k, m, g, t or p in units of 1024, or with % of the machine's memory. */
export function parseSize(text: string): number {
  const [, digits = '', unit = ''] = text.match(/^(\d+)([kmgtp%]?)$/i) ?? [];
  const factor =
    unit === '%' ? totalmem() / 100 : 1024 ** ['', 'k', 'm', 'g', 't', 'p'].indexOf(unit.toLowerCase());
  const bytes = Math.floor(Number(digits) * factor);
  if (bytes > 0 && Number.isSafeInteger(bytes)) return bytes;
  throw new InvalidArgumentError('It must be a size of 1 byte or more, such as 512M, 2G or 25%.');
}

/** The options of `-o` that take a value, with ours first. */
const valued: Record<string, (settings: Settings, value: string) => void> = {
  name: (settings, value) => {
    settings.name = parseName(value);
  },
  mode: (settings, value) => {
    settings.mode = parseMode(value);
  },
  uid: (settings, value) => {
    settings.uid = parseId(value);
  },
  gid: (settings, value) => {
    settings.gid = parseId(value);
  },
  max_size: (settings, value) => {
    settings.maxSize = parseSize(value);
  },
  threads: (settings, value) => {
    settings.threads = parseThreads(value);
  },
  from: (settings, value) => {
    settings.from = value;
  },
  transport: (settings, value) => {
    settings.transport = parseTransport(value);
  },
  io: (settings, value) => {
    settings.io = parseIo(value);
  },
  log: (settings, value) => {
    settings.log = value;
  },
  record: (settings, value) => {
    settings.record = value;
  },
};

/** The ones that don't. `defaults` and `default_permissions` ask for what is always so. */
const plain: Record<string, (settings: Settings) => void> = {
  allow_other: (settings) => {
    settings.allowOther = true;
  },
  auto_unmount: (settings) => {
    settings.autoUnmount = true;
  },
  secret: (settings) => {
    settings.secret = true;
  },
  nonempty: (settings) => {
    settings.nonempty = true;
  },
  defaults: () => {},
  default_permissions: () => {},
};

/** The argument of one `-o`, added to those before it. A comma within a value is written `\,`. */
export function parseMountOptions(text: string, before: Settings = {}): Settings {
  const settings: Settings = { ...before, words: [...(before.words ?? [])] };
  for (const option of text.split(/(?<!\\),/).map((part) => part.replaceAll('\\,', ','))) {
    const [, key = option, value] = option.match(/^([^=]*)=(.*)$/s) ?? [];
    if (value !== undefined && Object.hasOwn(valued, key)) valued[key]?.(settings, value);
    else if (value === undefined && Object.hasOwn(plain, key)) plain[key]?.(settings);
    else if (value === undefined && isMountWord(key)) settings.words?.push(key);
    else throw new InvalidArgumentError(explain(key, value));
  }
  return settings;
}

function explain(key: string, value: string | undefined): string {
  const name = JSON.stringify(key);
  if (value === undefined && Object.hasOwn(valued, key)) return `The mount option ${name} needs a value.`;
  if (value !== undefined && (Object.hasOwn(plain, key) || isMountWord(key))) {
    return `The mount option ${name} takes no value.`;
  }
  return `The mount option ${name} is unknown.`;
}
