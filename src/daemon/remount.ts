import { join } from 'node:path';
import type { FileChange } from '../ram-file/module.ts';
import { addressText } from '../shared-file/address.ts';
import { attempt } from '../sys/processes.ts';
import { quote } from '../text/quote.ts';
import type { RemountAnswer, RemountInput } from './control/messages.ts';
import { info } from './log.ts';
import { checkChange } from './modules/change.ts';
import type { Loaded } from './modules/loaded.ts';
import type { Served } from './served.ts';
import { flagOf, type Settings } from './settings.ts';

/**
 * Changes what can be changed of a mount: its files' sizes, modes and owners; what isn't said stays. All of it, or, when something
 * of it can't be, nothing. Throws an Error with the last part of a sentence.
 */
export async function remount(
  served: Served,
  { settings, readsMoveAtime, dry = false }: RemountInput,
): Promise<RemountAnswer> {
  refuseFixed(served, settings);
  const changes = changesOf(served, settings, readsMoveAtime);
  for (const [{ file }, change] of changes) checkChange(file, change);
  if (!dry) await apply(changes);
  if (!dry && served.plan.verbose) info(`remounted ${quote(served.mount.dir)}`);
  return {
    files: served.modules.flatMap(({ changeable }) => {
      if (changeable === undefined) return [];
      return { file: join(served.mount.dir, changeable.entry.name), maxSize: changeable.maxSize };
    }),
  };
}

/** What holds of what can't be changed, by its name among the settings. */
function fixed({ plan }: Served): Readonly<Partial<Record<keyof Settings, unknown>>> {
  const {
    shared,
    mount,
    files,
    secret,
    transport,
    channel,
    threads,
    from,
    save,
    log,
    verbose,
    debug,
    record,
  } = plan;
  const [file, ...others] = files;
  return {
    name: others.length > 0 ? undefined : (file ?? shared)?.name,
    io: (file ?? shared)?.io,
    ...{ secret, transport, channel, threads, from, save, log, verbose, debug, record },
    allowOther: mount.allowOther,
    autoUnmount: mount.autoUnmount,
    fsname: mount.fsname,
    on: shared && addressText(shared.on),
    key: shared?.key,
    timeout: shared?.timeout,
    replicas: shared?.replicas,
    recreate: shared?.recreate,
    locks: shared?.locks,
  };
}

function refuseFixed(served: Served, settings: Settings): void {
  for (const [name, present] of Object.entries(fixed(served))) {
    const said = settings[name as keyof Settings];
    if (said === undefined || said === present) continue;
    const option = typeof said === 'boolean' ? flagOf(name) : `${flagOf(name)} ${said}`;
    const is = present === undefined || typeof present === 'boolean' ? '' : `, where it is ${present}`;
    throw new Error(
      `${quote(option)} can't be while it is mounted${is}; leave it out, or unmount it and mount it with that`,
    );
  }
}

/** What becomes of which file. */
function changesOf(
  served: Served,
  { file: named, name: _, maxSize, mode, uid, gid }: Settings,
  readsMoveAtime: boolean | undefined,
): [Loaded, FileChange][] {
  const all = served.modules.filter(({ changeable }) => changeable !== undefined);
  const said = (named ?? []).map((one) => ({ ...one, loaded: find(all, one.name) }));
  if (maxSize !== undefined || mode !== undefined) {
    const [loaded, ...others] = all;
    const flag = maxSize === undefined ? '--mode' : '--max-size';
    if (loaded === undefined) throw new Error(`it has no RAM file, of which ${quote(flag)} could be`);
    if (others.length > 0 && named === undefined) {
      throw new Error(
        `it has several files; say of which, as in "--file ${loaded.changeable?.entry.name}=1G", and not by ${quote(flag)}`,
      );
    }
    if (named !== undefined) throw new Error(`"--file" and ${quote(flag)} can't be said together`);
    said.push({ name: '', maxSize, mode, loaded });
  }
  return all.flatMap((loaded): [Loaded, FileChange][] => {
    const change: FileChange = defined({ uid, gid, readsMoveAtime });
    for (const one of said) {
      if (one.loaded === loaded) Object.assign(change, defined({ maxSize: one.maxSize, mode: one.mode }));
    }
    return Object.keys(change).length === 0 ? [] : [[loaded, change]];
  });
}

function find(all: readonly Loaded[], name: string): Loaded {
  const found = all.find(({ changeable }) => changeable?.entry.name === name);
  if (found !== undefined) return found;
  const names = all.map(({ changeable }) => quote(changeable?.entry.name ?? ''));
  throw new Error(`it has no file ${quote(name)}; it has ${new Intl.ListFormat('en').format(names)}`);
}

function defined(values: { readonly [K in keyof FileChange]: FileChange[K] | undefined }): FileChange {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

async function apply(changes: readonly [Loaded, FileChange][]): Promise<void> {
  const undo: (() => Promise<void>)[] = [];
  try {
    for (const [loaded, change] of changes) {
      const before = presentOf(loaded, change);
      await loaded.change(change);
      undo.push(() => loaded.change(before));
    }
  } catch (error) {
    for (const back of undo.reverse()) await back().catch(() => {});
    throw error;
  }
}

/** What is about to be changed as it is. Of an engine's file nothing: it is the only one of its mount. */
function presentOf({ file }: Loaded, change: FileChange): FileChange {
  const { mode = 0, uid = 0, gid = 0 } = attempt(() => file?.getattr()) ?? {};
  const present: FileChange = { maxSize: file?.maxSize ?? 0, mode, uid, gid };
  return Object.fromEntries(Object.entries(present).filter(([name]) => name in change));
}
