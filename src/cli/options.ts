import { DEFAULT_SHARE, FEWER_THREADS, type Settings, transports } from '../daemon/settings.ts';
import { mountWords } from '../mount/options.ts';
import { DEFAULT_MODE, DEFAULT_NAME, ioModes } from '../ram-file/defaults.ts';
import { quote } from '../text/quote.ts';
import { DEFAULT_THREADS } from '../transport/kernel/worker-contract.ts';
import type { Item } from './help.ts';
import { type Row, type Rows, read } from './option.ts';
import { parseId, parseMode, parseName, parseOneOf, parsePath, parseSize, parseThreads } from './parse.ts';
import { UsageError } from './usage-error.ts';

/*
 * The table of options: all that a command can be told, each once. The flags, what `-o` takes and the help come from it.
 */

/** What `ramproc mount` can be told of the mount itself, by flags or by `-o`. */
const settings = {
  name: {
    flag: '-n, --name <name>',
    keys: ['name'],
    parse: parseName,
    default: DEFAULT_NAME,
    help: "the file's name",
  },
  mode: {
    flag: '-m, --mode <mode>',
    keys: ['mode'],
    parse: parseMode,
    default: `0${DEFAULT_MODE.toString(8)}; 0600 with --secret`,
    help: "the file's permissions",
  },
  uid: {
    flag: '--uid <number>',
    keys: ['uid'],
    parse: parseId,
    default: 'you',
    help: "the file's owner",
  },
  gid: {
    flag: '--gid <number>',
    keys: ['gid'],
    parse: parseId,
    default: 'yours',
    help: "the file's group",
  },
  maxSize: {
    flag: '-s, --max-size <size>',
    keys: ['max_size', 'size'],
    parse: parseSize,
    default: `${DEFAULT_SHARE}%`,
    help: 'the most memory its data may take, such as 512M, 1.5GiB, 2GB or 25%, rounded up to whole pages of 4 KiB',
  },
  from: {
    flag: '--from <file>',
    keys: ['from'],
    parse: parsePath,
    help: 'fill the file first, from a file, a pipe or standard input (-)',
  },
  io: {
    flag: '--io <mode>',
    keys: ['io'],
    parse: parseOneOf(ioModes),
    default: 'direct',
    help: `who reads and writes the bytes: ${ioModes.join(', ')}`,
  },
  secret: {
    flag: '--secret',
    keys: ['secret'],
    help: 'no swap, no core dump, overwritten in the end; the mode is 0600 and nothing wider',
  },
  allowOther: {
    flag: '--allow-other',
    keys: ['allow_other'],
    help: 'let other users in, as far as the mode lets them',
  },
  threads: {
    flag: '--threads <number>',
    keys: ['threads'],
    parse: parseThreads,
    default: `${DEFAULT_THREADS}; ${FEWER_THREADS} with --secret or --io passthrough`,
    help: 'how many threads serve requests',
  },
  transport: {
    flag: '--transport <name>',
    keys: ['transport'],
    parse: parseOneOf(transports),
    default: 'kernel',
    help: `what serves the mount: ${transports.join(' or ')}`,
  },
  log: {
    flag: '--log <file>',
    keys: ['log'],
    parse: parsePath,
    default: 'none; standard error with --foreground',
    help: "append the daemon's messages to a file",
  },
  record: {
    flag: '--record <file>',
    keys: ['record'],
    parse: parsePath,
    help: 'for debugging: write every request of the kernel and every reply to a file',
  },
  autoUnmount: {
    keys: ['auto_unmount'],
    help: 'unmount also when the daemon is killed',
  },
  nonempty: {
    keys: ['nonempty'],
    help: 'mount also on a directory that has something in it',
  },
} satisfies { readonly [Name in keyof Omit<Settings, 'words'>]-?: Row<NonNullable<Settings[Name]>> };

export const mountRows = {
  ...settings,
  foreground: {
    flag: '-f, --foreground',
    help: 'stay, and unmount on SIGINT, SIGTERM or SIGHUP',
  },
  json: { flag: '--json', help: 'print the result as one JSON object' },
  options: {
    flag: '-o, --options <list>',
    parse: parseMountOptions,
    help: 'options of mount(8) and of this command, as in ro,noexec,size=1G; several -o add up',
  },
} satisfies Rows;

export const unmountRows = {
  lazy: {
    flag: '--lazy',
    help: 'also when it is in use: nobody can open the file any more, who has it open keeps it',
  },
  force: {
    flag: '--force',
    help: 'also when it is in use: the data is taken, who has the file open gets EBUSY',
  },
  wait: {
    flag: '--no-wait',
    help: 'return at once, and not only when its memory is given back, and that of a secret overwritten',
  },
  json: { flag: '--json', help: 'print the result as one JSON object' },
} satisfies Rows;

/** Keys that ask for what is always so. */
const ALWAYS = ['defaults', 'default_permissions'];

/** The argument of one `-o`, added to those before it. A comma within a value is written `\,`. Throws a UsageError. */
export function parseMountOptions(text: string, before: Settings = {}): Settings {
  const all: Settings & Record<string, unknown> = { ...before, words: [...(before.words ?? [])] };
  for (const option of text.split(/(?<!\\),/).map((part) => part.replaceAll('\\,', ','))) {
    const [, key = option, value] = option.match(/^([^=]*)=(.*)$/s) ?? [];
    const [name = '', row] = rowOf(key) ?? [];
    if (row === undefined) addWord(all, key, value);
    else if (row.parse === undefined && value === undefined) all[name] = true;
    else if (row.parse !== undefined && value !== undefined) {
      all[name] = read(row.parse, `-o ${option}`, value);
    } else throw wrong(key, value === undefined ? 'needs a value' : 'takes no value');
  }
  return all;
}

function rowOf(key: string): [name: string, row: Row] | undefined {
  return Object.entries<Row>(settings).find(([, { keys }]) => keys?.includes(key));
}

function addWord(all: Settings, key: string, value: string | undefined): void {
  const always = ALWAYS.includes(key);
  if (!always && !mountWords.flat().includes(key)) throw wrong(key, 'is unknown');
  if (value !== undefined) throw wrong(key, 'takes no value');
  if (!always) all.words?.push(key);
}

function wrong(key: string, how: string): UsageError {
  return new UsageError(`The mount option ${quote(key)} ${how}.`);
}

/** What `-o` takes, for people. */
export function mountOptionItems(): Item[] {
  const ours = Object.values<Row>(settings).flatMap(({ flag, keys = [], help }): Item[] => {
    const [, value = ''] = flag?.match(/ (<.*>)$/) ?? [];
    const terms = keys.map((key) => (value === '' ? key : `${key}=${value}`)).join(', ');
    return [[terms, flag === undefined ? help : `as ${flag.match(/--\S+/)}`]];
  });
  return [
    ...ours,
    ...mountWords.map((words): Item => [words.join(', '), 'as mount(8) says']),
    [ALWAYS.join(', '), 'accepted: it is always so'],
  ];
}
