import { closeSync, constants, openSync, readdirSync } from 'node:fs';
import { EACCES, EAGAIN, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR, Errno } from '../sys/errno.ts';
import { flock, flockHolder, LOCK_EX, LOCK_NB } from '../sys/flock.ts';
import { type MountInfo, mountAt } from '../sys/mountinfo.ts';
import { openPlace } from '../sys/place.ts';
import { quote } from '../text/quote.ts';
import { reason } from '../text/reason.ts';
import { shellWord } from '../text/shell-word.ts';
import { checkAnswers, findDirectory, mountedOn } from './directory.ts';
import { look } from './look.ts';
import { MountError } from './mount-error.ts';
import { FSTYPE, isMountWord, type MountOptions } from './options.ts';
import { Server } from './serving.ts';
import { unmountFuse } from './unmount.ts';

/** A directory that nobody else mounts on until this is disposed. */
export interface Claim extends Disposable {
  /** Absolute, with symbolic links resolved, as /proc/mounts has it. */
  readonly dir: string;
}

/**
 * Makes sure that a directory can be mounted on, and holds a lock on it meanwhile, so that of two mounts at the same time
 * one is told of the other. A mount of ours whose daemon is dead is taken away, with a notice. Throws MountError.
 */
export async function claim(
  dir: string,
  { nonempty = false, notice = say, words = [] }: Pick<MountOptions, 'nonempty' | 'notice' | 'words'>,
): Promise<Claim> {
  const unknown = words.find((word) => !isMountWord(word));
  if (unknown !== undefined)
    throw new MountError(`Cannot mount on ${quote(dir)}: ${quote(unknown)} is no word of mount(8).`);
  try {
    const found = await findDirectory(dir);
    const { path } = found;
    const there = mountedOn(found);
    if (there === undefined) await checkAnswers(found);
    else await replaceDead(there, notice);
    const fd = openUnmounted(path);
    try {
      lock(fd);
      // Somebody else may have mounted before it was locked, who has let go of the lock since.
      checkUnmounted(path);
      checkEmpty(fd, nonempty);
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
    throw new MountError(`Cannot mount on ${quote(dir)}: ${why(error)}.`, { cause: error });
  }
}

function say(notice: string): void {
  console.error(`ramproc: ${notice}`);
}

async function replaceDead(there: MountInfo, notice: (message: string) => void): Promise<void> {
  if (there.type !== FSTYPE) return;
  using server = Server.of(there);
  // It is refused, and needn't be looked into.
  if (server !== undefined && server.connected !== false) return;
  switch (await look(there.dir)) {
    case 'dead':
      unmountFuse(there, { lazy: true });
      notice(`${quote(there.dir)} was still mounted by a daemon that is dead; replacing it.`);
      return;
    case 'silent':
      throw new Error(
        `it is mounted already, by a daemon that does not answer; unmount it first with "ramproc unmount --lazy ${shellWord(there.dir)}"`,
      );
  }
}

/** Opens a directory unless something is mounted on it, and never that: between a look and the opening it could have come. */
function openUnmounted(path: string): number {
  const place = openPlace(path);
  try {
    checkUnmounted(path);
    return openSync(`/proc/self/fd/${place}`, constants.O_RDONLY | constants.O_DIRECTORY);
  } finally {
    closeSync(place);
  }
}

function checkUnmounted(path: string): void {
  const there = mountAt(path);
  if (there?.type === FSTYPE) {
    throw new Error(`it is mounted already; unmount it first with "ramproc unmount ${shellWord(path)}"`);
  }
  if (there !== undefined) {
    throw new Error(`a file system of type ${there.type} is mounted on it; choose another directory`);
  }
}

function checkEmpty(fd: number, nonempty: boolean): void {
  if (!nonempty && readdirSync(`/proc/self/fd/${fd}`).length > 0) {
    throw new Error(
      'it is not empty, and what is in it would be hidden; choose an empty one or add "-o nonempty"',
    );
  }
}

/** How often to try for a lock whose holder can't be seen: it has just let go, or is in another PID namespace. */
const TRIES = 10;

function lock(fd: number): void {
  for (let tries = 1; ; tries++) {
    try {
      flock(fd, LOCK_EX | LOCK_NB);
      return;
    } catch (error) {
      if (errnoOf(error) !== EAGAIN) throw error;
    }
    const pid = flockHolder(fd);
    if (pid === undefined && tries < TRIES) continue;
    const who = pid === undefined ? 'another process' : `process ${pid}`;
    throw new Error(`${who} is mounting on it already; wait until it has, or end it`);
  }
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
