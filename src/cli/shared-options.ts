import type { Rows } from './option.ts';
import { parseOneOf, parsePath, parseSize } from './parse.ts';
import { parseDuration, parseReplicas } from './parse-shared.ts';

/** What `ramproc mount` can be told of a file in an engine. The URL is looked at later: no message may have it, for its password. */
export const sharedRows = {
  on: {
    flag: '--on <url>',
    keys: ['on'],
    parse: parsePath,
    help: 'one file for many machines, in the memory of Redis or Valkey: redis://, rediss://, unix://, redis-sentinel:// or redis-cluster://',
  },
  key: {
    flag: '--key <name>',
    keys: ['key'],
    parse: parsePath,
    help: "with --on: the file's name in the engine",
  },
  passwordFile: {
    flag: '--password-file <file>',
    keys: ['password_file'],
    parse: parsePath,
    default: 'RAMPROC_PASSWORD in the environment, or what the URL has',
    help: "with --on: the file whose first line is the engine's password",
  },
  timeout: {
    flag: '--timeout <seconds>',
    keys: ['timeout'],
    parse: parseDuration,
    default: '5',
    help: 'with --on: how long a call may take before it ends in EIO, or in ETIMEDOUT when it may have been done',
  },
  replicas: {
    flag: '--replicas <number>',
    keys: ['replicas'],
    parse: parseReplicas,
    default: '0',
    help: 'with --on: how many replicas must have a write before it is answered',
  },
  locks: {
    flag: '--locks <where>',
    keys: ['locks'],
    parse: parseOneOf(['shared', 'local'] as const),
    default: 'shared',
    help: 'with --on: whether locks hold across machines, or on each alone: shared or local',
  },
  recreate: {
    flag: '--recreate',
    keys: ['recreate'],
    help: 'with --on: make the file again, empty, when the engine has lost it',
  },
};

const { on, key, passwordFile } = sharedRows;
const json = { flag: '--json', help: 'print the result as one JSON object' };

/** What the commands of `ramproc shared` can be told. */
export const sharedListRows = { on, passwordFile, json } satisfies Rows;
export const sharedSaveRows = { on, key, passwordFile } satisfies Rows;
export const sharedRemoveRows = {
  ...sharedSaveRows,
  confirm: {
    flag: '--confirm <name>',
    parse: parsePath,
    help: 'the name again, to remove a file that somebody has mounted',
  },
} satisfies Rows;
export const sharedLoadRows = {
  ...sharedSaveRows,
  maxSize: {
    flag: '-s, --max-size <size>',
    parse: parseSize,
    default: "half of the engine's memory",
    help: 'the most that the data of a file that is made may take',
  },
} satisfies Rows;
