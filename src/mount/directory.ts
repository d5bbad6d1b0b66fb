import { closeSync, readlinkSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { EINVAL, ELOOP, ENOENT, ENOTDIR, Errno } from '../sys/errno.ts';
import { type MountInfo, mountIdOf, mounts } from '../sys/mountinfo.ts';
import { openPlace } from '../sys/place.ts';
import { NOT_UTF_8 } from '../text/not-utf-8.ts';
import { quote } from '../text/quote.ts';
import { look } from './look.ts';
import { FSTYPE } from './options.ts';
import { isServedHere } from './serving.ts';

/** As many symbolic links as the kernel follows. Source: path_resolution(7). */
const MAX_LINKS = 40;

/** A directory that was found without looking into it. */
export interface Directory {
  /** Absolute, with symbolic links resolved, as /proc/mounts has it. */
  readonly path: string;
  /** The mount that it lies in, or that is mounted on it. */
  readonly mount: MountInfo | undefined;
}

/** The mount that is mounted on a directory, when there is one. */
export function mountedOn({ path, mount }: Directory): MountInfo | undefined {
  return mount?.dir === path ? mount : undefined;
}

/**
 * Finds a directory, step by step as the kernel does. It may be a mount whose daemon is dead or doesn't answer, or one that
 * lets this user not in: only mounts on the way there are looked into, and of ours only such as answer.
 * Throws one of Node's system errors, or an Error for what can't be.
 */
export async function findDirectory(dir: string): Promise<Directory> {
  // The kernel says so too; a walk of no steps would end in the working directory.
  if (dir === '') throw new Errno(ENOENT);
  const steps = (isAbsolute(dir) ? dir : `${process.cwd()}/${dir}`).split('/');
  const asked = new Set<number>();
  const root = placeAt('/');
  let at = root;
  let links = 0;
  for (let step = steps.shift(); step !== undefined; step = steps.shift()) {
    if (step === '' || step === '.') continue;
    const path = join(at.path, step);
    try {
      await checkAnswers(at, asked);
      at = placeAt(path, at);
    } catch (error) {
      const errno = Errno.from(error);
      if (errno instanceof Errno && errno.errno === ENOENT && path.includes(NOT_UTF_8)) throw notUtf8();
      if (!(errno instanceof Errno && errno.errno === ENOTDIR)) throw error;
      const target = linkAt(path);
      if (target === undefined) throw error;
      links++;
      if (links > MAX_LINKS) throw new Errno(ELOOP);
      steps.unshift(...target.split('/'));
      if (isAbsolute(target)) at = root;
    }
  }
  return at;
}

/**
 * Throws for a directory in a mount of ours that doesn't answer, or that this process serves: whoever looked into it would wait for ever, for
 * itself.
 */
export async function checkAnswers({ mount }: Directory, asked = new Set<number>()): Promise<void> {
  if (mount?.type !== FSTYPE || asked.has(mount.id)) return;
  asked.add(mount.id);
  if (isServedHere(mount)) {
    throw new Error(`its way leads through ${quote(mount.dir)}, which the same process would serve`);
  }
  if ((await look(mount.dir)) === 'silent') {
    throw new Error(`its way leads through ${quote(mount.dir)}, whose daemon does not answer`);
  }
}

/** The directory at a path without symbolic links, one step from `before`. */
function placeAt(path: string, before?: Directory): Directory {
  const place = openPlace(path);
  try {
    const id = mountIdOf(place);
    if (before?.mount?.id === id) return { path, mount: before.mount };
    return { path, mount: mounts().find((mount) => mount.id === id) };
  } finally {
    closeSync(place);
  }
}

/** What a symbolic link says, or undefined when it is none. */
function linkAt(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch (error) {
    const errno = Errno.from(error);
    if (errno instanceof Errno && errno.errno === EINVAL) return undefined;
    throw error;
  }
}

function notUtf8(): Error {
  return new Error("its path isn't UTF-8, and Node.js knows no other; rename it or choose another directory");
}
