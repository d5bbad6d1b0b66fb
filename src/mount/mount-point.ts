import { closeSync, constants, openSync, readdirSync, realpathSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { EACCES, ECONNABORTED, ELOOP, ENAMETOOLONG, ENOENT, ENOTCONN, ENOTDIR, Errno } from '../sys/errno.ts';
import { flock, LOCK_EX } from '../sys/flock.ts';
import { mountAt } from '../sys/mountinfo.ts';
import { NOT_UTF_8 } from '../text/not-utf-8.ts';
import { quote } from '../text/quote.ts';
import { reason } from '../text/reason.ts';
import { shellWord } from '../text/shell-word.ts';
import { MountError } from './mount-error.ts';
import { FSTYPE } from './options.ts';
import { unmountFuse } from './unmount.ts';

/** A directory that nobody else mounts on until this is disposed. */
export interface Claim extends Disposable {
  /** Absolute, with symbolic links resolved, as /proc/mounts has it. */
  readonly dir: string;
}

/**
 * Makes sure that a directory can be mounted on, and holds a lock on it meanwhile, so that of two mounts at the same time
 * one sees the other. A mount of ours whose daemon is dead is taken away, with a notice. Throws MountError.
 */
export function claim(dir: string, nonempty: boolean, notice: (message: string) => void): Claim {
  const failure = `Cannot mount on ${quote(dir)}`;
  try {
    const path = mountPath(dir);
    replaceDead(path, notice);
    const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      flock(fd, LOCK_EX);
      check(path, nonempty);
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    let held = true;
    return {
      dir: path,
      [Symbol.dispose]() {
        if (held) closeSync(fd);
        held = false;
      },
    };
  } catch (error) {
    throw new MountError(`${failure}: ${why(error)}.`, { cause: error });
  }
}

/**
 * A directory's path as /proc/mounts has it. The last component isn't looked into: it may be a mount whose daemon is
 * dead, or one of another user's, where every call is EACCES. Throws one of Node's system errors, or an Error for a name
 * that isn't UTF-8.
 */
export function mountPath(dir: string): string {
  // realpath(3) says so too; Node's takes it for the working directory.
  if (dir === '') throw new Errno(ENOENT);
  try {
    return realpathSync(dir);
  } catch (error) {
    if (isDead(error) || errnoOf(error) === EACCES) return join(realpathSync(dirname(dir)), basename(dir));
    if (!(error instanceof Error) || !(resolve(dir) + error.message).includes(NOT_UTF_8)) throw error;
    throw new Error(
      "its path isn't UTF-8, and Node.js knows no other; rename it or choose another directory",
    );
  }
}

function replaceDead(path: string, notice: (message: string) => void): void {
  if (mountAt(path)?.type !== FSTYPE) return;
  try {
    readdirSync(path);
  } catch (error) {
    if (!isDead(error)) throw error;
    notice(`${quote(path)} was still mounted by a daemon that is dead; replacing it.`);
    unmountFuse(path, true);
  }
}

function check(path: string, nonempty: boolean): void {
  const there = mountAt(path);
  if (there?.type === FSTYPE) {
    throw new Error(`it is mounted already; unmount it first with "ramproc unmount ${shellWord(path)}"`);
  }
  if (there !== undefined) {
    throw new Error(`a file system of type ${there.type} is mounted on it; choose another directory`);
  }
  if (!nonempty && readdirSync(path).length > 0) {
    throw new Error(
      'it is not empty, and what is in it would be hidden; choose an empty one or add "-o nonempty"',
    );
  }
}

/** Every call on a mount without a daemon is ENOTCONN; the one that the daemon died over is ECONNABORTED (fuse_abort_conn). */
function isDead(error: unknown): boolean {
  const errno = errnoOf(error);
  return errno === ENOTCONN || errno === ECONNABORTED;
}

function errnoOf(error: unknown): number | undefined {
  const errno = Errno.from(error);
  return errno instanceof Errno ? errno.errno : undefined;
}

function why(error: unknown): string {
  switch (errnoOf(error)) {
    case ENOENT:
      return 'there is no such directory; create it with "mkdir"';
    case ENOTDIR:
      return 'it is not a directory; choose one';
    case EACCES:
      return 'permission denied; choose a directory that you may read';
    case ELOOP:
      return 'its symbolic links lead in a circle; choose another path';
    case ENAMETOOLONG:
      return 'its name is too long; choose another path';
    default:
      return reason(error);
  }
}
