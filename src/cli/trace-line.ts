import { constants } from 'node:fs';
import {
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLOUT,
  POLLPRI,
  POLLRDHUP,
  POLLRDNORM,
  POLLWRNORM,
} from '../files/poll-events.ts';
import { FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE, FALLOC_FL_ZERO_RANGE } from '../sys/memfd.ts';
import { userName } from '../sys/user-name.ts';
import { quote } from '../text/quote.ts';
import type { TraceEvent } from '../transport/trace.ts';

type Event = Omit<TraceEvent, 'toString'>;

/** Sets of bits, and what they are called. Source: open(2), fallocate(2), poll(2), the kernel's include/uapi. */
type Bits = Readonly<Record<string, number>>;

/** Beside the way it is opened. O_SYNC has two bits. */
const OPEN: Bits = {
  O_APPEND: constants.O_APPEND,
  O_TRUNC: constants.O_TRUNC,
  O_SYNC: constants.O_SYNC,
  O_DSYNC: constants.O_DSYNC,
  O_DIRECT: constants.O_DIRECT,
  O_DIRECTORY: constants.O_DIRECTORY,
  O_NOFOLLOW: constants.O_NOFOLLOW,
  O_NOATIME: constants.O_NOATIME,
  O_NONBLOCK: constants.O_NONBLOCK,
};
const WAYS = ['O_RDONLY', 'O_WRONLY', 'O_RDWR', '3'];
/** Flags that the kernel adds: O_LARGEFILE, __FMODE_EXEC. */
const HIDDEN = 0o100000 | 0o40;

const FALLOCATE: Bits = {
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  FALLOC_FL_COLLAPSE_RANGE: 8,
  FALLOC_FL_ZERO_RANGE,
  FALLOC_FL_INSERT_RANGE: 32,
  FALLOC_FL_UNSHARE_RANGE: 64,
};

const POLL: Bits = {
  POLLIN,
  POLLPRI,
  POLLOUT,
  POLLERR,
  POLLHUP,
  POLLRDNORM,
  POLLRDBAND: 128,
  POLLWRNORM,
  POLLWRBAND: 512,
  POLLRDHUP,
};

const WHENCE = ['SEEK_SET', 'SEEK_CUR', 'SEEK_END', 'SEEK_DATA', 'SEEK_HOLE'];
const LOCKS = ['F_RDLCK', 'F_WRLCK', 'F_UNLCK'];

/** The bits of SETATTR's `valid`, and what is said of the values. Source: FATTR_ of linux/fuse.h. */
const CHANGES: readonly (readonly [bit: number, words: (details: Event['details']) => string])[] = [
  [1 << 0, ({ mode = 0 }) => `mode=${octal(mode & 0o7777)}`],
  [1 << 1, ({ uid }) => `uid=${uid}`],
  [1 << 2, ({ gid }) => `gid=${gid}`],
  [1 << 3, ({ size }) => `size=${size}`],
  [1 << 4, () => 'atime'],
  [1 << 5, () => 'mtime'],
];

/** A request and its answer in one line, as strace(1) has system calls. */
export function traceLine({ at, tid, uid, operation, path, details, result, error, ms }: Event): string {
  const what = [...(path === '' ? [] : [quote(path)]), ...words(operation, details)].join(', ');
  const answer = error ?? (result === undefined ? '?' : resultOf(operation, result));
  // The kernel says of some for nobody that they are by anybody: that a file isn't open any more, or is no longer known.
  const who = tid === 0 ? 'pid ?' : `pid ${tid}, ${userName(uid)}`;
  return `${timeOf(at)} [${who}] ${operation}(${what}) = ${answer} <${(ms / 1000).toFixed(6)}>`;
}

function words(operation: string, details: Event['details']): string[] {
  if (operation === 'SETATTR')
    return CHANGES.flatMap(([bit, say]) => (((details.valid ?? 0) & bit) === 0 ? [] : say(details)));
  return Object.entries(details).map(([name, value]) => `${name}=${wordOf(operation, name, value)}`);
}

function wordOf(operation: string, name: string, value: number): string {
  switch (`${operation} ${name}`) {
    case 'OPEN flags':
    case 'OPENDIR flags':
      return [WAYS[value & 3] ?? '', ...bitsOf(OPEN, value & ~3 & ~HIDDEN)].join('|');
    case 'LSEEK whence':
      return WHENCE[value] ?? `${value}`;
    case 'FALLOCATE mode':
      return bitsOf(FALLOCATE, value).join('|') || '0';
    case 'POLL events':
      return bitsOf(POLL, value).join('|') || '0';
    case 'GETLK type':
    case 'SETLK type':
    case 'SETLKW type':
      return LOCKS[value] ?? `${value}`;
    case 'IOCTL cmd':
      return `0x${value.toString(16)}`;
    case 'CHMOD mode':
      return octal(value & 0o7777);
    default:
      return `${value}`;
  }
}

function resultOf(operation: string, result: number): string {
  return operation === 'POLL' ? bitsOf(POLL, result).join('|') || '0' : `${result}`;
}

/** The names of the bits that are set, and what is left of others. */
function bitsOf(names: Bits, value: number): string[] {
  let left = value;
  const all = Object.entries(names).flatMap(([name, bits]) => {
    if (bits === 0 || (left & bits) !== bits) return [];
    left &= ~bits;
    return name;
  });
  return left === 0 ? all : [...all, `0x${left.toString(16)}`];
}

function octal(mode: number): string {
  return `0${mode.toString(8)}`;
}

/** Such as `14:02:11.123456`, in the time zone of who looks. */
function timeOf(at: number): string {
  const two = (part: number) => String(part).padStart(2, '0');
  const date = new Date(at);
  const seconds = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':');
  return `${seconds}.${String(Math.floor((at % 1000) * 1000)).padStart(6, '0')}`;
}
