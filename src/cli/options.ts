import { existsSync } from 'node:fs';
import { DEFAULT_SHARE, FEWER_THREADS, type Settings, transports } from '../daemon/settings.ts';
import { FSNAME, mountWords } from '../mount/options.ts';
import { DEFAULT_MODE, DEFAULT_NAME, ioModes } from '../ram-file/defaults.ts';
import { quote } from '../text/quote.ts';
import { channels } from '../transport/kernel/channels.ts';
import { DEFAULT_THREADS } from '../transport/kernel/worker-contract.ts';
import type { Item } from './help.ts';
import { type Row, type Rows, read } from './option.ts';
import {
  parseFile,
  parseGid,
  parseMode,
  parseName,
  parseOneOf,
  parsePath,
  parseSeconds,
  parseSize,
  parseThreads,
  parseUid,
  parseUser,
} from './parse.ts';
import { parseFilter } from './parse-filter.ts';
import { sharedRows } from './shared-options.ts';
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
    flag: '--uid <user>',
    keys: ['uid'],
    parse: parseUid,
    default: 'you',
    help: "the file's owner, by name or number",
  },
  gid: {
    flag: '--gid <group>',
    keys: ['gid'],
    parse: parseGid,
    default: 'yours',
    help: "the file's group, by name or number",
  },
  maxSize: {
    flag: '-s, --max-size <size>',
    keys: ['max_size', 'size'],
    parse: parseSize,
    default: `${DEFAULT_SHARE}%`,
    help: 'the most memory its data may take, such as 512M, 1.5GiB, 2GB or 25%, rounded up to whole pages of 4 KiB',
  },
  file: {
    flag: '--file <name:mode=size>',
    keys: ['file'],
    parse: parseFile,
    help: 'one of several files, each with its own size and, where that is given, mode',
  },
  from: {
    flag: '--from <file>',
    keys: ['from'],
    parse: parsePath,
    help: 'fill the file first, from a file, a pipe or standard input (-)',
  },
  restore: {
    flag: '--restore <file>',
    keys: ['restore'],
    parse: parsePath,
    help: 'the same from a file that may be missing: then it is empty',
  },
  save: {
    flag: '--save <file>',
    keys: ['save'],
    parse: parsePath,
    help: 'save what the file holds in the end, however it ends but by SIGKILL, in the place of what is there',
  },
  io: {
    flag: '--io <mode>',
    keys: ['io'],
    parse: parseOneOf(ioModes),
    default: 'direct',
    help: `who reads and writes the bytes: ${ioModes.join(', ')}`,
  },
  ...sharedRows,
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
  join: {
    flag: '--join',
    keys: ['join'],
    help: 'have it served by a process of yours that serves another mount, if there is one: for many, in little memory',
  },
  threads: {
    flag: '--threads <number>',
    keys: ['threads'],
    parse: parseThreads,
    default: `${DEFAULT_THREADS}; ${FEWER_THREADS} with --secret or --io passthrough; none of its own with --join`,
    help: 'how many threads serve requests',
  },
  transport: {
    flag: '--transport <name>',
    keys: ['transport'],
    parse: parseOneOf(transports),
    default: 'kernel',
    help: `what serves the mount: ${transports.join(' or ')}`,
  },
  channel: {
    flag: '--channel <name>',
    keys: ['channel'],
    parse: parseOneOf(channels),
    default: 'auto',
    help: `what the kernel's requests come by: ${channels.join(', ')}`,
  },
  log: {
    flag: '--log <where>',
    keys: ['log'],
    parse: parsePath,
    default: 'journal, or else syslog; standard error with --foreground',
    help: "append the daemon's messages to a file, or send them to syslog or journal",
  },
  verbose: {
    flag: '-v, --verbose',
    keys: ['verbose'],
    help: 'tell of all that it does',
  },
  debug: {
    flag: '--debug',
    keys: ['debug'],
    help: 'tell of each request too',
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
  fsname: {
    keys: ['fsname'],
    value: '<name>',
    parse: parsePath,
    help: 'what /proc/mounts shows as its source',
  },
  setuid: {
    keys: ['setuid'],
    value: '<user>',
    parse: parseUser,
    help: 'become that user first',
  },
  remount: {
    keys: ['remount'],
    help: 'it is mounted already: change what is said, as "ramproc remount" does',
  },
} satisfies {
  readonly [Name in keyof Omit<Settings, 'words' | 'modules'>]-?: Row<NonNullable<Settings[Name]>>;
};

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

const { maxSize, mode, uid, gid, file, ...others } = settings;

const STAYS = 'as it is';

/** The same without a word in the help. */
function hidden<R extends Rows>(rows: R): R {
  const all = Object.entries<Row>(rows).map(([name, row]) => [name, { ...row, isHidden: true }]);
  return Object.fromEntries(all);
}

/**
 * What can be changed of a mount, and, for who says what holds already, all else. It is shown how `-o` is used, which fstab's lines
 * are: they say all.
 */
export const remountRows = {
  maxSize: { ...maxSize, default: STAYS },
  mode: { ...mode, default: STAYS },
  uid: { ...uid, default: STAYS },
  gid: { ...gid, default: STAYS },
  file: { ...file, help: 'what of one of several files changes: its size, its mode, or both' },
  ...hidden(others),
  json: mountRows.json,
  options: mountRows.options,
} satisfies Rows;

const { allowOther, threads, transport, channel, log, verbose, debug, record } = settings;
const { foreground, json, options } = mountRows;

/** What can be told of the mount that a module is loaded into. */
export const loadRows = {
  allowOther,
  threads,
  transport,
  channel,
  log,
  verbose,
  debug,
  record,
  foreground,
  json,
  options,
} satisfies Rows;

export const infoRows = { json } satisfies Rows;
export const setRows = { json } satisfies Rows;

export const unmountRows = {
  all: {
    flag: '-a, --all',
    help: 'each that you may unmount',
  },
  lazy: {
    flag: '-l, --lazy',
    help: 'also when it is in use: nobody can open the file any more, who has it open keeps it',
  },
  force: {
    flag: '-f, --force',
    help: 'also when it is in use: the data is taken, who has the file open gets EBUSY',
  },
  wait: {
    flag: '--no-wait',
    help: 'return at once, and not only when its memory is given back, and that of a secret overwritten',
  },
  verbose: { flag: '-v, --verbose', help: 'say also what was unmounted as it should be' },
  json: {
    flag: '--json',
    help: 'print the result as JSON: an object for each directory, on a line of its own',
  },
} satisfies Rows;

const { all: _, ...lastOne } = unmountRows;

/** What can be told of the unmounting of a directory with the last module in it. */
export const unloadRows = lastOne satisfies Rows;

export const saveRows = { json } satisfies Rows;

export const installHelperRows = {
  remove: { flag: '--remove', help: 'remove it again' },
} satisfies Rows;

export const listRows = {
  json: { flag: '--json', help: 'print all that is known as one JSON array' },
} satisfies Rows;

const interval = {
  flag: '--interval <seconds>',
  parse: parseSeconds,
  default: '1',
  help: 'how often',
} satisfies Row<number>;

export const statsRows = {
  watch: { flag: '-w, --watch', help: 'again and again, by the second since the last time' },
  interval,
  json: { flag: '--json', help: 'print all that was counted as one JSON object; times are in milliseconds' },
  prometheus: { flag: '--prometheus', help: 'print it as Prometheus reads it' },
} satisfies Rows;

export const topRows = { interval } satisfies Rows;

export const traceRows = {
  filter: {
    flag: '--filter <what>',
    parse: parseFilter,
    help: 'only these: operations, a path, or failed; may be given again',
  },
  json: {
    flag: '--json',
    help: 'print an object of JSON for each request, on a line of its own; times are in milliseconds',
  },
} satisfies Rows;

export const doctorRows = {
  on: { ...sharedRows.on, help: 'look at this engine too: what a file in it needs' },
  passwordFile: sharedRows.passwordFile,
  json: { flag: '--json', help: 'print all that was found as one JSON array' },
} satisfies Rows;

/** What the kernel shows of a mount of ours, and mount(8) says again of one that is there. It doesn't look at them then (fuse_parse_param). */
const SHOWN = /^(user_id|group_id|rootmode|max_read|blksize)=\d+$/;

/** Options that ask for what is always so. */
const ALWAYS = ['defaults', 'default_permissions', `subtype=${FSNAME}`];

/**
 * Options that mean something to mount(8), systemd or nobody any more, and nothing to a mount. FUSE refuses mandatory locks
 * (fuse_fill_super_common), which Linux has no more since 5.15.
 */
const IGNORED =
  /^((no)?(auto|user|users|owner|group|fail|mand)|_netdev|(user|helper|uhelper|comment)=.*|[xX]-.*)$/s;

/** For people. */
const IGNORED_WORDS = 'auto, noauto, user, users, owner, group, _netdev, nofail, mand, comment=…, x-…, X-…';

/** Labels of SELinux. Without it they mean nothing, and mount(8) leaves them out too. */
const CONTEXT = /^(fs|def|root)?context=/;
const SELINUX = '/sys/fs/selinux';

/**
 * The argument of one `-o`, added to those before it. A comma within a value is written `\,`, or the value stands in double
 * quotes, which stay, as mount(8) has it. With `sloppy`, what is unknown is passed over. Throws a UsageError.
 */
export function parseMountOptions(text: string, before: Settings = {}, sloppy = false): Settings {
  const all: Settings & Record<string, unknown> = { ...before, words: [...(before.words ?? [])] };
  const options = split(text);
  const isRemount = before.remount ?? options.includes('remount');
  for (const option of options) {
    if (isRemount && SHOWN.test(option)) continue;
    const [, key = option, value] = option.match(/^([^=]*)=(.*)$/s) ?? [];
    const [name = '', row] = rowOf(key) ?? [];
    if (row === undefined) addWord(all, option, key, value, sloppy);
    else if (row.parse === undefined && value === undefined) all[name] = true;
    else if (row.parse !== undefined && value !== undefined) {
      all[name] = read(row.parse, `-o ${option}`, value, all[name]);
    } else throw wrong(key, value === undefined ? 'needs a value' : 'takes no value');
  }
  return all;
}

function split(text: string): string[] {
  const options = text.match(/(?:"[^"]*"|\\,|[^,])+/gs) ?? [];
  return options.map((option) => option.replaceAll('\\,', ','));
}

function rowOf(key: string): [name: string, row: Row] | undefined {
  return Object.entries<Row>(settings).find(([, { keys }]) => keys?.includes(key));
}

function addWord(
  all: Settings,
  option: string,
  key: string,
  value: string | undefined,
  sloppy: boolean,
): void {
  if (ALWAYS.includes(option) || IGNORED.test(option)) return;
  if (CONTEXT.test(option) && !existsSync(SELINUX)) return;
  if (!mountWords.flat().includes(key)) {
    if (sloppy) return;
    throw wrong(key, 'is unknown');
  }
  if (value !== undefined) throw wrong(key, 'takes no value');
  all.words?.push(key);
}

function wrong(key: string, how: string): UsageError {
  return new UsageError(`The mount option ${quote(key)} ${how}.`);
}

/** What `-o` takes, for people. */
export function mountOptionItems(): Item[] {
  const ours = Object.values<Row>(settings).flatMap(
    ({ flag, value = valueName(flag), keys = [], help }): Item[] => {
      const terms = keys.map((key) => (value === undefined ? key : `${key}=${value}`)).join(', ');
      return [[terms, flag === undefined ? help : `as ${flag.match(/--\S+/)}`]];
    },
  );
  return [
    ...ours,
    ...mountWords.map((words): Item => [words.join(', '), 'as mount(8) says']),
    [ALWAYS.join(', '), 'accepted: it is always so'],
    [IGNORED_WORDS, 'ignored: they are for mount(8) and systemd'],
  ];
}

/** The name of the value that a flag takes, such as `<size>`. */
export function valueName(flag = ''): string | undefined {
  return flag.match(/ (<.*>)$/)?.[1];
}
