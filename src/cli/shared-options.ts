import { parseOneOf, parsePath } from './parse.ts';
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
