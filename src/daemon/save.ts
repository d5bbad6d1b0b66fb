import { accessSync, constants, statSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { MountError } from '../mount/mount-error.ts';
import type { Freed } from '../ram-file/give-back.ts';
import type { LastUse } from '../ram-file/ram-file.ts';
import { EADDRINUSE, ECONNREFUSED, EDQUOT, EFBIG, ENOSPC, Errno } from '../sys/errno.ts';
import { connectTo, listenOn, type Peer } from '../sys/socket.ts';
import { quote } from '../text/quote.ts';
import { reason } from '../text/reason.ts';
import { size } from '../text/size.ts';
import { notify } from './notify.ts';
import { copyFile, placeOf, Replacement } from './replacement.ts';
import type { Step } from './teardown.ts';

/** Between two tries to save what couldn't be, and between two looks whether to give up meanwhile, in milliseconds. */
const AGAIN = 10_000;
const PAUSE = 100;

/** While it gets on, a service manager is asked for so much more time, in microseconds, each second. Source: sd_notify(3). */
const MORE_TIME = 30_000_000;

/** Why a file can't be saved, as the rest of a sentence. */
export function whyNotSaved(error: unknown): string {
  const errno = Errno.from(error);
  const isFull =
    errno instanceof Errno && (errno.errno === ENOSPC || errno.errno === EDQUOT || errno.errno === EFBIG);
  return reason(
    error,
    isFull ? 'make room; what was there before is there still' : 'give the path of a file that you may write',
  );
}

/**
 * Makes sure that a path can be saved to, and that no other mount saves to it until the answer is disposed. Throws a MountError.
 *
 * An abstract socket's name is the lock: it leaves no file, and goes with its process. Anybody may have taken it, and who isn't
 * this user or root doesn't count.
 */
export function claimTarget(path: string): Disposable {
  try {
    const place = placeOf(path);
    accessSync(dirname(place), constants.W_OK | constants.X_OK);
    const { dev, ino } = statSync(dirname(place));
    const { createHash } = process.getBuiltinModule('node:crypto');
    const which = createHash('sha256')
      .update(`${dev}:${ino}/${basename(place)}`)
      .digest('hex');
    const name = `ramproc-save/${which.slice(0, 32)}`;
    try {
      return listenOn(name);
    } catch (error) {
      if (!(error instanceof Errno && error.errno === EADDRINUSE)) throw error;
      const who = listenerOf(name);
      if (who === undefined || (who.uid !== 0 && who.uid !== process.geteuid?.()))
        return { [Symbol.dispose]() {} };
      throw new Error(`process ${who.pid} saves to it already; give each mount a file of its own`, {
        cause: error,
      });
    }
  } catch (error) {
    const why = reason(error, 'give --save a file that you may write');
    throw new MountError(`Cannot mount with "--save ${path}": ${why}.`, { cause: error });
  }
}

function listenerOf(name: string): Peer | undefined {
  try {
    using socket = connectTo(name);
    return socket.peer;
  } catch (error) {
    if (error instanceof Errno && error.errno === ECONNREFUSED) return undefined;
    throw error;
  }
}

/** What there is to know of a file that is to be saved at its end. */
export interface ToSave {
  readonly path: string;
  readonly name: string;
  /** Its mode in the end. */
  readonly mode: () => number;
  /** See claimTarget. */
  readonly claim: Disposable;
  /** How often this process was told to end. */
  readonly told: () => number;
}

/**
 * Saves what a file held before its memory is given back. What can't be saved is kept and tried again, until it can be, or until the
 * process is told to end once more: nobody else has it.
 */
export function savedAtEnd({ path, name, mode, claim, told }: ToSave): LastUse {
  return function* save(fd: number): Generator<Step, void, undefined> {
    using _claim = claim;
    let before: number | undefined;
    let said = '';
    for (;;) {
      try {
        yield* once(fd, path, mode());
        if (said !== '') console.error(`ramproc: ${quote(name)} is saved to ${quote(path)} now.`);
        return;
      } catch (error) {
        before ??= told();
        const trouble = `Cannot save ${quote(name)} to ${quote(path)}: ${whyNotSaved(error)}; process ${process.pid} keeps it in memory and tries again every ${AGAIN / 1000} s, and "kill ${process.pid}" gives it up`;
        if (trouble !== said) console.error(`ramproc: ${trouble}.`);
        said = trouble;
        notify(`STATUS=${trouble}`);
        for (const late = performance.now() + AGAIN; performance.now() < late; ) {
          if (told() > before) {
            console.error(`ramproc: ${quote(name)} is given up, and not saved to ${quote(path)}.`);
            return;
          }
          yield { bytes: 0, total: 0, pause: PAUSE, trouble };
        }
      }
    }
  };
}

/** Not in the loop: what esbuild makes of `using` throws again what was thrown the time before. */
function* once(fd: number, path: string, mode: number): Generator<Freed, void, undefined> {
  using to = new Replacement(path, mode);
  yield* reporting(copyFile(fd, to.fd));
  to.put();
}

function* reporting(steps: Generator<Freed, void, undefined>): Generator<Freed, void, undefined> {
  let next = 0;
  for (const step of steps) {
    if (performance.now() >= next) {
      next = performance.now() + 1000;
      const { bytes, total } = step;
      notify(`STATUS=Saving, ${size(bytes)} of ${size(total)}`, `EXTEND_TIMEOUT_USEC=${MORE_TIME}`);
    }
    yield step;
  }
}
