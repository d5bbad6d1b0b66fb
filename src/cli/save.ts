import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import type { Daemon } from '../daemon/control/client.ts';
import type { SaveAnswer } from '../daemon/control/messages.ts';
import { EndOnSignal } from '../daemon/end-on-signal.ts';
import { copyFile, Replacement } from '../daemon/replacement.ts';
import { whyNotSaved } from '../daemon/save.ts';
import { findDirectory } from '../mount/directory.ts';
import type { MountInfo } from '../sys/mountinfo.ts';
import { oneLine } from '../text/one-line.ts';
import { quote } from '../text/quote.ts';
import { isSystemError } from '../text/reason.ts';
import { absolute } from './absolute.ts';
import { type Asked, daemonOn, orFailure, ourMountOn } from './ask.ts';
import { addLists } from './help.ts';
import { addFlags, type Flags } from './option.ts';
import { saveRows } from './options.ts';
import { progressBar } from './progress.ts';

export const saveCommand = new Command('save')
  .summary('copy what a file in RAM holds to a disk')
  .description(
    'Saves what a RAM file holds, as it is at one moment, also while it is written. The copy takes the place of what is there once all of it is on the disk; holes stay holes.',
  )
  .argument('<dir>', 'the directory; of several files the path of one')
  .argument('<file>', 'where to')
  .action(run);
addFlags(saveCommand, saveRows);
addLists(saveCommand, {
  'Examples:': [
    ['ramproc save /tmp/ram ram.bin', 'a copy, with the mode of the file'],
    ['ramproc save /tmp/ram/notes notes', 'one of several files'],
    ['ramproc mount /tmp/ram --restore ram.bin --save ram.bin', 'filled with it, and saved in the end'],
  ],
});

/** How often a file is copied as it is before it is asked for a copy of one moment, or, where there is none, given up. */
const TRIES = 2;

/** Longer than the kernel's clock for files stands still, in milliseconds: a later change has another time then. */
const TICK = 20;

async function run(where: string, target: string, { json = false }: Flags<typeof saveRows>): Promise<void> {
  const failure = `Cannot save ${quote(where)} to ${quote(target)}`;
  const { asked, name } = await mountOf(where, failure);
  const saved = await orFailure(failure, () => save(asked, name, absolute(target)));
  if (!saved.isOneMoment) {
    console.error(
      `ramproc: ${quote(where)} was written meanwhile, by the kernel itself (--io passthrough): what is saved need not be of one moment.`,
    );
  }
  if (json) console.log(oneLine(JSON.stringify({ file: absolute(target), ...saved })));
}

/** The mount that is meant, and which of its files. */
async function mountOf(where: string, failure: string): Promise<{ asked: Asked; name?: string }> {
  const isOurs = async (dir: string) =>
    await findDirectory(dir).then(
      (found) => ourMountOn(found) !== undefined,
      () => false,
    );
  if ((await isOurs(where)) || !(await isOurs(dirname(where))))
    return { asked: await daemonOn(where, failure) };
  return { asked: await daemonOn(dirname(where), failure), name: basename(where) };
}

interface Saved {
  /** How long it is, in bytes. */
  readonly size: number;
  /** Whether it was all there at one moment. */
  readonly isOneMoment: boolean;
}

async function save({ daemon, mount }: Asked, name: string | undefined, target: string): Promise<Saved> {
  const ending = new EndOnSignal();
  const which = name === undefined ? {} : { file: name };
  for (let tries = 1; ; tries++) {
    const asCopy = tries > TRIES;
    const { fd, stamp, mode, copies, ...file } = await take(daemon, mount, { ...which, copy: asCopy });
    try {
      await sleep(TICK);
      using to = inWords(() => new Replacement(target, mode));
      await copy(fd, to.fd, ending);
      const isOneMoment = asCopy || (await daemon.ask('save', { ...which, copy: false })).stamp === stamp;
      const isLast = tries >= TRIES && !copies;
      if (!isOneMoment && !isLast) continue;
      if (!isOneMoment && !file.sent) throw new Error('it was changed meanwhile; save it again');
      inWords(() => to.put());
      return { size: fstatSync(to.fd).size, isOneMoment };
    } finally {
      closeSync(fd);
    }
  }
}

/** A descriptor of the bytes, with the daemon's rights to them and no others, or where there is none with this user's. */
async function take(
  daemon: Daemon,
  { dir, owner }: MountInfo,
  which: { file?: string; copy: boolean },
): Promise<SaveAnswer & { fd: number }> {
  const { name: to, socket } = daemon.listen();
  using _socket = socket;
  const answer = await daemon.ask('save', { ...which, to });
  if (!answer.sent) {
    // A daemon's word is no path.
    const path = join(dir, basename(answer.name));
    return { ...answer, fd: openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW) };
  }
  for (let sender = socket.accept(); sender !== undefined; sender = socket.accept()) {
    using end = sender;
    const { uid } = end.peer;
    const fd = uid === 0 || uid === owner ? end.receiveDescriptor() : undefined;
    if (fd === undefined) continue;
    if (fstatSync(fd).isFile()) return { ...answer, fd };
    closeSync(fd);
  }
  throw new Error('its daemon sent no file');
}

async function copy(from: number, to: number, ending: EndOnSignal): Promise<void> {
  using bar = progressBar('saving');
  try {
    for (const { bytes, total } of copyFile(from, to)) {
      bar.show(bytes, total);
      await setImmediate();
      if (ending.told !== undefined) throw ending.told;
    }
  } catch (error) {
    throw worded(error);
  }
}

function inWords<T>(use: () => T): T {
  try {
    return use();
  } catch (error) {
    throw worded(error);
  }
}

function worded(error: unknown): unknown {
  return isSystemError(error) ? new Error(whyNotSaved(error), { cause: error }) : error;
}
